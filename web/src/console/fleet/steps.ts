/** Limits over time as steps, drawn by ECharts (loaded only when they are asked for). */

import { LineChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { clock, NONE, number } from '../../shared/format'
import { words } from '../../shared/words'

use([LineChart, GridComponent, TooltipComponent, SVGRenderer])

const LABEL_PX = 90 // room for a time of day

/** `at`: milliseconds since 1970; the value holds until the next step; null: none is said. */
export interface Step { at: number; value: number | null }
export interface StepChart {
  show: (told: Step[], planned: Step[], start: number, end: number, unit: string) => void
  resize: () => void
  dispose: () => void
}

export function stepsIn(element: HTMLElement): StepChart {
  const chart = init(element, null, { renderer: 'svg' })
  const quiet = '#9bb0bb', line = '#25323b', accent = '#5fd3c2', amber = '#f2b04e'
  return {
    show(told, planned, start, end, unit) {
      const held = (steps: Step[]) => [...steps, ...(steps.length ? [{ at: end, value: steps.at(-1)?.value ?? null }] : [])].map(({ at, value }) => [at, value])
      const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, nameTextStyle: { color: quiet } }
      const valueAt = (steps: Step[], at: number) => steps.findLast((step) => step.at <= at)?.value
      const said = (value: number | null | undefined) => (value === null || value === undefined ? NONE : `${number(value, 1)} ${unit}`)
      chart.setOption({
        animation: false,
        useUTC: true,
        textStyle: { fontFamily: 'inherit' },
        grid: { left: 46, right: 18, top: 28, bottom: 40 },
        tooltip: {
          trigger: 'axis', backgroundColor: '#19232a', borderColor: line, textStyle: { color: '#e8f0f3', fontSize: 13 },
          formatter: (items: { axisValue: number }[]) => { const at = items[0]?.axisValue ?? start; return `<b>${clock(at)}</b><br>${words.fleet.chargerLimit(unit)}: ${said(valueAt(told, at))}${planned.length ? `<br>${words.fleet.ourPlan(unit)}: ${said(valueAt(planned, at))}` : ''}` },
        },
        xAxis: { type: 'time', min: start, max: end, splitNumber: Math.max(2, Math.floor(element.clientWidth / LABEL_PX)), name: words.fleet.cityTimeAxis, nameLocation: 'middle', nameGap: 24, ...axis, axisLabel: { color: quiet, hideOverlap: true, formatter: (at: number) => clock(at) } },
        yAxis: { type: 'value', min: ({ min }: { min: number }) => Math.min(0, min), name: unit, ...axis, splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet, formatter: (value: number) => number(value, Number.isInteger(value) ? 0 : 1) } },
        series: [
          { type: 'line', step: 'end', data: held(told), symbol: 'none', lineStyle: { color: accent, width: 2 }, areaStyle: { color: accent, opacity: 0.12 } },
          { type: 'line', step: 'end', data: held(planned), symbol: 'none', lineStyle: { color: amber, width: 2, type: 'dashed' } },
        ],
      }, { notMerge: true })
    },
    resize: () => chart.resize(),
    dispose: () => chart.dispose(),
  }
}
