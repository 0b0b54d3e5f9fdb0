/** Promised 0.9-quantiles of waits against those that came, drawn by ECharts (loaded only with the page of promises). */

import { LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { CalibrationBin } from '../shared/api'
import { minutes, number, share } from '../shared/format'
import { words } from '../shared/words'

use([LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer])

export interface Calibration { show: (bins: CalibrationBin[]) => void; resize: () => void; dispose: () => void }

export function calibrationIn(element: HTMLElement): Calibration {
  const chart = init(element, null, { renderer: 'svg' })
  const quiet = '#93a6b1', line = '#22303a', accent = '#5fd3c2'
  const axis = (name: string, max: number) => ({ type: 'value' as const, min: 0, max, name, nameLocation: 'middle' as const, nameGap: 28, nameTextStyle: { color: quiet }, splitLine: { lineStyle: { color: line } }, axisLabel: { color: quiet, formatter: (value: number) => number(value) } })
  return {
    show(bins) {
      const top = Math.max(5, Math.ceil(Math.max(...bins.flatMap((bin) => [bin.promised_p90_min, bin.realised_p90_min])) / 5) * 5)
      const most = Math.max(...bins.map((bin) => bin.waits))
      chart.setOption({
        animationDuration: 300, textStyle: { fontFamily: 'inherit' }, grid: { left: 52, right: 16, top: 12, bottom: 46 },
        tooltip: {
          trigger: 'item', confine: true, backgroundColor: '#18222a', borderColor: line, textStyle: { color: '#e8f0f3', fontSize: 13 }, extraCssText: 'white-space: normal; max-width: 260px',
          formatter: (item: { dataIndex: number }) => { const bin = bins[item.dataIndex]; return bin ? words.accountable.dot(minutes(bin.promised_p90_min), minutes(bin.realised_p90_min), share(bin.within), number(bin.waits)) : '' },
        },
        xAxis: axis(words.accountable.axisPromised, top), yAxis: axis(words.accountable.axisRealised, top),
        series: [
          { type: 'line', data: [[0, 0], [top, top]], symbol: 'none', silent: true, lineStyle: { color: quiet, width: 1, type: 'dashed' }, tooltip: { show: false } },
          { type: 'scatter', data: bins.map((bin) => [bin.promised_p90_min, bin.realised_p90_min]), symbolSize: (_: unknown, item: { dataIndex: number }) => 8 + 22 * Math.sqrt((bins[item.dataIndex]?.waits ?? 0) / most), itemStyle: { color: accent, opacity: 0.75 } },
        ],
      })
    },
    resize: () => chart.resize(),
    dispose: () => chart.dispose(),
  }
}
