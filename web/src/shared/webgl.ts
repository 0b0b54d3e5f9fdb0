/** Whether this browser can draw the map; apart from the map's code, which is loaded only where it can. */
export function hasWebGl(): boolean {
  const canvas = document.createElement('canvas')
  return Boolean(canvas.getContext('webgl2') ?? canvas.getContext('webgl'))
}
