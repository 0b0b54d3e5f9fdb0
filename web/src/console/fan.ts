/** A quantile fan, drawn by ECharts (loaded only with the forecast page). */

import { LineChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { kilowattHours, number } from '../shared/format'
import { words } from '../shared/words'

use([LineChart, GridComponent, TooltipComponent, SVGRenderer])

export interface Fan { show: (hours: string[], q10: number[], q50: number[], q90: number[], came?: (number | null)[]) => void; resize: () => void; dispose: () => void }

export function fanIn(element: HTMLElement): Fan {
  const chart = init(element, null, { renderer: 'svg' })
  const quiet = '#93a6b1', line = '#22303a', accent = '#5fd3c2'
  return {
    show(hours, q10, q50, q90, came = []) {
      chart.setOption({
        animationDuration: 300,
        textStyle: { fontFamily: 'inherit' },
        grid: { left: 52, right: 12, top: 12, bottom: 26 },
        tooltip: {
          trigger: 'axis', backgroundColor: '#18222a', borderColor: line, textStyle: { color: '#e8f0f3', fontSize: 13 },
          formatter: (items: { dataIndex: number }[]) => { const n = items[0]?.dataIndex ?? 0; return `<b>${hours[n]}</b><br>${words.expected(kilowattHours(q50[n] ?? 0), kilowattHours(q10[n] ?? 0), kilowattHours(q90[n] ?? 0))}${typeof came[n] === 'number' ? `<br>${words.outlook.came}: ${kilowattHours(came[n])}` : ''}` },
        },
        xAxis: { type: 'category', data: hours, boundaryGap: false, axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: quiet, interval: 2 } },
        yAxis: { type: 'value', splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet, formatter: (value: number) => number(value) } },
        series: [
          { type: 'line', stack: 'band', data: q10, symbol: 'none', lineStyle: { opacity: 0 }, silent: true },
          { type: 'line', stack: 'band', data: q90.map((value, n) => value - (q10[n] ?? 0)), symbol: 'none', lineStyle: { opacity: 0 }, areaStyle: { color: accent, opacity: 0.18 }, silent: true },
          { type: 'line', data: q50, symbol: 'none', lineStyle: { color: accent, width: 2 } },
          { type: 'line', data: came, symbol: 'circle', symbolSize: 5, itemStyle: { color: '#f3f7f8' }, lineStyle: { color: '#f3f7f8', width: 1.5, type: 'dashed' } },
        ],
      })
    },
    resize: () => chart.resize(),
    dispose: () => chart.dispose(),
  }
}
