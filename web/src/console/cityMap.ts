/** The map: streets, the forecast as a quiet glow, stations as circles; each bay as a dot at street zoom; a route when asked. */

import type { ExpressionSpecification, GeoJSONSource, Map as MapLibre } from 'maplibre-gl'
import type { LiveStations, Route } from '../shared/api'
import { h } from '../shared/dom'
import { minutes, number } from '../shared/format'
import { cityMap, collection, DARK, EMPTY, point, setData } from '../shared/map'
import { words } from '../shared/words'
import { shortageSentence, shortAt } from './shortage'
import type { State } from './state'

const HOME = { top: 36, left: 36, right: 36, bottom: 116 } // room for the hour slider
const BAYS_FROM_ZOOM = 15
const ACCENT = '#5fd3c2'
const zoomed = (...stops: (number | ExpressionSpecification)[]) => ['interpolate', ['exponential', 1.5], ['zoom'], ...stops] as ExpressionSpecification
const times = (factor: number, what: ExpressionSpecification): ExpressionSpecification => ['*', factor, what]

const AREA: ExpressionSpecification = ['max', ['*', ['get', 'scale'], ['sqrt', ['get', 'bays']]], 2]
/** Radius of a station by zoom, `wider` pixels around it. */
const radius = (wider: number) => zoomed(9, ['+', wider / 2, times(0.5, AREA)], 11, ['+', wider * 0.7, times(0.85, AREA)], 13, ['+', wider, times(1.7, AREA)], 16, ['+', 6 + wider, times(2.4, AREA)])
const busyFill: ExpressionSpecification = ['case', ['get', 'dead'], '#59656d', ['interpolate', ['linear'], ['get', 'busy'], 0, '#1d3a3d', 0.5, '#2f8078', 0.8, ACCENT, 1, '#d5fbf3']]
const metresAt = (zoom: number, latitude: number) => 78271.5 * Math.cos(latitude) / 2 ** zoom

export class CityMap {
  onSelect: (stationId: string) => void = () => {}
  private selected: string | null = null
  private readonly tip = h('div', { class: 'tip', hidden: true })

  private constructor(private readonly map: MapLibre, private readonly state: State) {}

  static async in(container: HTMLElement, state: State): Promise<CityMap> {
    const map = await cityMap(container, state.city, DARK, { label: words.mapLabel, padding: HOME })
    const made = new CityMap(map, state)
    made.addLayers()
    made.listen(container)
    made.showStations()
    made.showForecast()
    state.on('live', () => made.showStations())
    state.on('forecast', () => made.showForecast())
    state.on('hour', () => made.showForecast())
    return made
  }

  private addLayers(): void {
    const { map } = this
    for (const id of ['zones', 'troubled', 'stations', 'bays', 'route', 'selected']) map.addSource(id, { type: 'geojson', data: EMPTY })
    const zone: ExpressionSpecification = ['get', 'radius_m'], latitude = (map.getCenter().lat * Math.PI) / 180
    map.addLayer({
      id: 'zones', type: 'circle', source: 'zones',
      paint: {
        'circle-radius': ['interpolate', ['exponential', 2], ['zoom'], 7, ['*', zone, 1.5 / metresAt(7, latitude)], 18, ['*', zone, 1.5 / metresAt(18, latitude)]],
        'circle-color': '#3f7cf0', 'circle-blur': 1,
        'circle-opacity': ['interpolate', ['linear'], ['zoom'], 11.5, ['*', 0.58, ['get', 'heat']], 14, ['*', 0.2, ['get', 'heat']]],
        'circle-opacity-transition': { duration: 500 },
      },
    }, 'minor')
    const edge: ExpressionSpecification = ['interpolate', ['exponential', 2], ['zoom'], 7, ['*', zone, 0.9 / metresAt(7, latitude)], 18, ['*', zone, 0.9 / metresAt(18, latitude)]]
    map.addLayer({ id: 'troubled', type: 'circle', source: 'troubled', paint: { 'circle-radius': edge, 'circle-color': ['match', ['get', 'why'], 'short', 'rgba(240,106,106,0.10)', 'rgba(147,166,177,0.08)'], 'circle-stroke-color': ['match', ['get', 'why'], 'short', '#f06a6a', '#93a6b1'], 'circle-stroke-width': ['match', ['get', 'why'], 'short', ['interpolate', ['linear'], ['get', 'probability'], 0.3, 1, 1, 3.5], 1.2] } }, 'minor')
    map.addLayer({ id: 'route-case', type: 'line', source: 'route', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': DARK.ground, 'line-width': 8 } })
    map.addLayer({ id: 'route', type: 'line', source: 'route', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#f3f7f8', 'line-width': 3.5 } })
    map.addLayer({ id: 'route-start', type: 'circle', source: 'route', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 6, 'circle-color': '#f3f7f8', 'circle-stroke-color': DARK.ground, 'circle-stroke-width': 3 } })
    map.addLayer({
      id: 'queues', type: 'circle', source: 'stations', filter: ['>', ['get', 'queue'], 0],
      paint: {
        'circle-radius': radius(3.5),
        'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#f2b04e',
        'circle-stroke-width': ['interpolate', ['linear'], ['get', 'queue'], 1, 1.6, 10, 4.5],
      },
    })
    map.addLayer({
      id: 'stations', type: 'circle', source: 'stations',
      paint: { 'circle-radius': radius(0), 'circle-color': busyFill, 'circle-stroke-color': '#0d1317', 'circle-stroke-width': 1, 'circle-opacity': ['interpolate', ['linear'], ['zoom'], BAYS_FROM_ZOOM, 0.95, BAYS_FROM_ZOOM + 0.5, 0.15] },
    })
    map.addLayer({
      id: 'bays', type: 'circle', source: 'bays', minzoom: BAYS_FROM_ZOOM,
      paint: {
        'circle-radius': zoomed(15, 1.8, 18, 9), 'circle-stroke-width': 1, 'circle-stroke-color': '#0d1317',
        'circle-color': ['match', ['get', 'state'], 'busy', '#d5fbf3', 'out', '#8a6a6a', '#2f8078'],
      },
    })
    map.addLayer({ id: 'selected', type: 'circle', source: 'selected', paint: { 'circle-radius': ['interpolate', ['exponential', 1.5], ['zoom'], 9, 9, 13, 18, 16, 30], 'circle-color': 'rgba(0,0,0,0)', 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2 } })
  }

  private listen(container: HTMLElement): void {
    container.append(this.tip)
    this.map.on('click', (event) => {
      const near = this.map.queryRenderedFeatures([[event.point.x - 6, event.point.y - 6], [event.point.x + 6, event.point.y + 6]], { layers: ['stations'] })
      const found = near.at(0)?.properties['id'] as string | undefined
      if (found) this.onSelect(found)
    })
    this.map.on('mousemove', 'stations', (event) => {
      const found = event.features?.[0]?.properties
      if (!found) return
      this.map.getCanvas().style.cursor = 'pointer'
      this.showTip(found['id'] as string, event.point.x, event.point.y)
    })
    this.map.on('mouseleave', 'stations', () => {
      this.map.getCanvas().style.cursor = ''
      this.tip.hidden = true
    })
    this.map.on('mousemove', 'troubled', (event) => {
      const said = event.features?.[0]?.properties['said'] as string | undefined
      if (said && !this.map.queryRenderedFeatures(event.point, { layers: ['stations'] }).length) this.tell([said], event.point.x, event.point.y)
    })
    this.map.on('mouseleave', 'troubled', () => { this.tip.hidden = true })
    this.map.on('moveend', () => this.showBays())
  }

  private showTip(stationId: string, x: number, y: number): void {
    const n = this.state.index.get(stationId), live = this.state.live?.stations, station = this.state.station.get(stationId)
    if (n === undefined || !live || !station) return
    const wait = live.wait_dc_min[n] ?? live.wait_ac_min[n]
    this.tell([
      h('b', {}, station.name), h('span', {}, words.tip(number(live.busy[n] ?? 0), number(station.ac_bays + station.dc_bays))),
      (live.queue[n] ?? 0) > 0 ? h('span', { class: 'amber' }, words.tipQueue(number(live.queue[n] ?? 0))) : '',
      wait ? h('span', {}, `${words.expectedWait} ${minutes(wait)}`) : '',
    ], x, y)
  }

  private tell(lines: (Node | string)[], x: number, y: number): void {
    this.tip.replaceChildren(...lines)
    this.tip.hidden = false
    this.tip.style.transform = `translate(${Math.min(x + 14, this.map.getContainer().clientWidth - 210)}px, ${y + 14}px)`
  }

  private showStations(): void {
    const live = this.state.live?.stations
    const scale = Math.min(2.4, Math.max(1, (400 / this.state.city.stations.length) ** 0.25)) // few stations may be large
    const features = this.state.city.stations.map((station, n) => point(station.lon, station.lat, { id: station.station_id, scale, bays: station.ac_bays + station.dc_bays, ...stateOf(live, n, station.ac_bays + station.dc_bays) }))
    features.sort((a, b) => (b.properties?.['bays'] as number) - (a.properties?.['bays'] as number)) // small ones on top
    setData(this.map, 'stations', collection(features))
    this.showBays()
  }

  private showBays(): void {
    if (this.map.getZoom() < BAYS_FROM_ZOOM) return
    const live = this.state.live?.stations, view = this.map.getBounds(), features: GeoJSON.Feature[] = []
    this.state.city.stations.forEach((station, n) => {
      if (!live || !view.contains([station.lon, station.lat])) return
      const bays = station.ac_bays + station.dc_bays, wide = Math.ceil(Math.sqrt(bays * 1.6)), rows = Math.ceil(bays / wide)
      for (let b = 0; b < bays; b++) {
        const state = b < (live.busy[n] ?? 0) ? 'busy' : b < (live.busy[n] ?? 0) + (live.out_of_order[n] ?? 0) ? 'out' : 'free'
        features.push(point(station.lon + ((b % wide) - (wide - 1) / 2) * 8e-5, station.lat - (Math.floor(b / wide) - (rows - 1) / 2) * 8e-5, { state }))
      }
    })
    setData(this.map, 'bays', collection(features))
  }

  private showForecast(): void {
    const forecast = this.state.forecast
    if (!forecast) return
    const row = forecast.q50[this.state.hour] ?? [], column = new Map(forecast.zone_ids.map((zone, i) => [zone, i]))
    const all = forecast.q50.flat().sort((a, b) => a - b), top = all[Math.floor(all.length * 0.97)] || 1 // one depot must not darken the rest
    const features = this.state.city.zones.map((zone) => point(zone.lon, zone.lat, { radius_m: zone.radius_m, heat: Math.min(1, (row[column.get(zone.zone_id) ?? -1] ?? 0) / top) }))
    setData(this.map, 'zones', collection(features))
    this.showTroubled(forecast.hours[this.state.hour] ?? forecast.origin)
  }

  /** Zones whose bays will be short at the chosen hour, and those whose feed has stopped. */
  private showTroubled(at: string): void {
    const short = shortAt(this.state.outlook, at), stopped = new Set((this.state.outlook?.stopped ?? []).filter((feed) => feed.unit === 'zone').map((feed) => feed.unit_id))
    const features = this.state.city.zones.flatMap(({ zone_id, lon, lat, radius_m }) => {
      const shortage = short.get(zone_id)
      if (shortage) return [point(lon, lat, { radius_m, why: 'short', probability: shortage.probability, said: shortageSentence(shortage) })]
      return stopped.has(zone_id) ? [point(lon, lat, { radius_m, why: 'stopped', said: `${words.outlook.zoneUnit(zone_id)}: ${words.outlook.stoppedZone}` })] : []
    })
    setData(this.map, 'troubled', collection(features))
  }

  /** Mark a station and bring it into view; null marks none. */
  select(stationId: string | null): void {
    if (stationId === this.selected) return
    this.selected = stationId
    const station = stationId ? this.state.station.get(stationId) : undefined
    setData(this.map, 'selected', collection(station ? [point(station.lon, station.lat, {})] : []))
    if (!station) return
    this.map.once('moveend', () => (this.map.getContainer().dataset.at = station.station_id))
    this.map.easeTo({ center: [station.lon, station.lat], zoom: Math.max(this.map.getZoom(), 13.2), duration: 600 })
  }

  route(way: Route | null): void {
    const begin = way?.geometry.coordinates[0]
    ;(this.map.getSource('route') as GeoJSONSource).setData(way && begin ? collection([way as GeoJSON.Feature, point(begin[0], begin[1], {})]) : EMPTY)
    const end = way?.geometry.coordinates.at(-1)
    setData(this.map, 'selected', collection(end ? [point(end[0], end[1], {})] : []))
    this.selected = null
    if (!way) return
    const lons = way.geometry.coordinates.map(([lon]) => lon), lats = way.geometry.coordinates.map(([, lat]) => lat)
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: 70, maxZoom: 14.5, duration: 600 })
  }

  home(): void {
    this.map.fitBounds(this.state.city.bounds, { padding: HOME, duration: 600 })
  }

  resize(): void {
    this.map.resize()
  }
}

function stateOf(live: LiveStations | undefined, n: number, bays: number) {
  const out = live?.out_of_order[n] ?? 0
  return { busy: bays - out > 0 ? (live?.busy[n] ?? 0) / (bays - out) : 0, queue: live?.queue[n] ?? 0, dead: bays > 0 && out >= bays }
}
