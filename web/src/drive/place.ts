/** The map above the questions: where the driver is, the stations offered, the way to the one that is held. */

import { Marker, type Map as MapLibre } from 'maplibre-gl'
import type { City, Offer, Route } from '../shared/api'
import { h } from '../shared/dom'
import { cityMap, collection, EMPTY, LIGHT, point, setData } from '../shared/map'
import { words } from '../shared/words'

export class PlaceMap {
  onMove: (lon: number, lat: number) => void = () => {}
  private readonly me: Marker
  private pins: Marker[] = []
  private fixed = false

  private constructor(private readonly map: MapLibre, private readonly city: City, lon: number, lat: number) {
    this.me = new Marker({ element: h('div', { class: 'me', title: words.where }), draggable: true }).setLngLat([lon, lat]).addTo(map)
    this.me.on('dragend', () => { const at = this.me.getLngLat(); this.onMove(at.lng, at.lat) })
    map.on('click', ({ lngLat }) => { if (!this.fixed) { this.me.setLngLat(lngLat); this.onMove(lngLat.lng, lngLat.lat) } })
    map.addSource('stations', { type: 'geojson', data: collection(city.stations.map((station) => point(station.lon, station.lat, {}))) })
    map.addSource('route', { type: 'geojson', data: EMPTY })
    map.addLayer({ id: 'stations', type: 'circle', source: 'stations', paint: { 'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 1.5, 14, 4], 'circle-color': '#0b7a6c', 'circle-opacity': 0.45 } })
    const round = { 'line-cap': 'round', 'line-join': 'round' } as const
    map.addLayer({ id: 'route-case', type: 'line', source: 'route', layout: round, paint: { 'line-color': '#ffffff', 'line-width': 9 } })
    map.addLayer({ id: 'route', type: 'line', source: 'route', layout: round, paint: { 'line-color': '#0b7a6c', 'line-width': 5 } })
  }

  static async in(container: HTMLElement, city: City, lon: number, lat: number): Promise<PlaceMap> {
    const map = await cityMap(container, city, LIGHT, { casing: '#d3dbd9', label: words.driverMap })
    map.jumpTo({ center: [lon, lat], zoom: 12.4 })
    return new PlaceMap(map, city, lon, lat)
  }

  ask(): void {
    this.clear()
    this.fixed = false
    this.me.setDraggable(true)
    this.map.easeTo({ center: this.me.getLngLat(), zoom: 12.4, duration: 500, offset: [this.room().left / 2 - 20, 0] })
  }

  moveTo(lon: number, lat: number): void {
    this.me.setLngLat([lon, lat])
    this.map.easeTo({ center: [lon, lat], zoom: 13, duration: 500, offset: [this.room().left / 2 - 20, 0] })
  }

  offers(offers: Offer[]): void {
    this.clear()
    offers.forEach((offer, n) => this.pin(offer.station_id, String(n + 1)))
    this.fit([this.me.getLngLat().toArray(), ...this.pins.map((pin) => pin.getLngLat().toArray())])
  }

  way(route: Route, stationId: string): void {
    this.clear()
    this.pin(stationId, '⚡')
    setData(this.map, 'route', route as GeoJSON.Feature)
    this.fit([...route.geometry.coordinates, ...this.pins.map((pin) => pin.getLngLat().toArray())])
  }

  resize(): void {
    this.map.resize()
  }

  /** What the sheet beside the map covers on a wide screen. */
  private room() {
    return { top: 64, right: 40, bottom: 36, left: this.map.getContainer().clientWidth >= 800 ? 500 : 40 }
  }

  private pin(stationId: string, text: string): void {
    const station = this.city.stations.find((each) => each.station_id === stationId)
    if (station) this.pins.push(new Marker({ element: h('div', { class: 'pin', title: station.name }, text), anchor: 'bottom' }).setLngLat([station.lon, station.lat]).addTo(this.map))
  }

  private clear(): void {
    this.fixed = true
    this.me.setDraggable(false)
    this.pins.forEach((pin) => pin.remove())
    this.pins = []
    setData(this.map, 'route', EMPTY)
  }

  private fit(points: [number, number][]): void {
    const lons = points.map(([lon]) => lon), lats = points.map(([, lat]) => lat)
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: this.room(), maxZoom: 15, duration: 600 })
  }
}
