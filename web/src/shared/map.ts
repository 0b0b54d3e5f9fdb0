/** A map of the city's own streets: no tiles, no fonts, nothing from elsewhere. */

import { Map as MapLibre, setWorkerUrl, type PaddingOptions, type StyleSpecification } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import { api, type City } from './api'

setWorkerUrl(new URL(workerUrl, document.baseURI).href)

export interface Tones { ground: string; minor: string; major: string }
export const DARK: Tones = { ground: '#0d1317', minor: '#1d2a32', major: '#34454f' }
export const LIGHT: Tones = { ground: '#f3f5f4', minor: '#ffffff', major: '#ffffff' }
export const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

function style(tones: Tones, casing: string | null): StyleSpecification {
  const level = (n: number) => ['==', ['get', 'level'], n] as never
  const width = (thin: number, thick: number) => ['interpolate', ['exponential', 1.6], ['zoom'], 10, thin, 16, thick] as never
  const line = (id: string, n: number, color: string, thin: number, thick: number) => ({
    id, type: 'line' as const, source: 'roads', filter: level(n),
    layout: { 'line-cap': 'round' as const, 'line-join': 'round' as const },
    paint: { 'line-color': color, 'line-width': width(thin, thick) },
  })
  return {
    version: 8,
    sources: { roads: { type: 'geojson', data: EMPTY, tolerance: 0.5 } },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': tones.ground } },
      ...(casing ? [line('minor-casing', 1, casing, 0.9, 8), line('major-casing', 0, casing, 2.2, 13)] : []),
      line('minor', 1, tones.minor, 0.5, 6),
      line('major', 0, tones.major, 1.2, 10),
    ],
  }
}

/** The map in `container`, with its streets, once its style is ready. */
export async function cityMap(container: HTMLElement, city: City, tones: Tones, options: { casing?: string; label: string; padding?: PaddingOptions }): Promise<MapLibre> {
  const map = new MapLibre({
    container,
    style: style(tones, options.casing ?? null),
    bounds: city.bounds,
    fitBoundsOptions: { padding: options.padding ?? { top: 40, right: 40, bottom: 40, left: 40 } },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxZoom: 18,
    minZoom: 7,
    canvasContextAttributes: { preserveDrawingBuffer: true, antialias: true }, // kept for screenshots and tests
  })
  map.touchZoomRotate.disableRotation()
  map.getCanvas().setAttribute('aria-label', options.label)
  await new Promise<void>((ready) => map.once('load', () => ready()))
  void api.roads().then((roads) => setData(map, 'roads', roads), () => {})
  map.on('idle', () => (container.dataset.idle = 'yes'))
  return map
}

export function setData(map: MapLibre, source: string, data: GeoJSON.GeoJSON): void {
  const found = map.getSource(source) as { setData?: (data: GeoJSON.GeoJSON) => void } | undefined
  found?.setData?.(data)
}

export const collection = (features: GeoJSON.Feature[]): GeoJSON.FeatureCollection => ({ type: 'FeatureCollection', features })

export const point = (lon: number, lat: number, properties: Record<string, unknown>): GeoJSON.Feature => ({
  type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties,
})
