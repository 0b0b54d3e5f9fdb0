/** 承诺页面与重放决策的用语。 */

import type { accountable as english } from './accountable.en'

export const accountable: typeof english = {
  title: '承诺', note: '引导车主前往充电站时的承诺，与实际结果的对照。',
  by: '按', byStation: '充电站', byOperator: '运营商', span: '承诺时间', spans: { '1': '最近一天', '7': '最近 7 天', '30': '最近 30 天', '0': '全部' },
  atStation: '承诺及其兑现情况', allStations: '全部充电站', all: '全部', none: '这段时间内没有承诺。车主被引导到充电站后，承诺会显示在这里。',
  columns: {
    group: '充电站', made: '承诺数', kept: '在该站充电', elsewhere: '去了别处', gave_up: '放弃', open: '未结束', promised_wait_min: '承诺等待（分钟）', realised_wait_min: '实际等待（分钟）',
    wait_error_min: '平均误差（分钟）', wait_error_p95_min: '误差 p95（分钟）', within: '九成之内', promised_amount: '承诺金额（元）', realised_amount: '实付金额（元）', amount_same: '金额相符',
  },
  figures: { within: '等待未超过九成承诺值', error: '等待与承诺之差', amount: '金额与承诺相符', apart: '另行统计' },
  ofWaits: (n) => `承诺等待大于 0 的 ${n} 次`, ofAllWaits: (share, n) => `全部 ${n} 次中 ${share}`, aim: '目标 87 % 至 93 %', onAim: '达标', tooFew: '次数太少，无法判断', below: '承诺偏短', above: '承诺偏长',
  errorNote: (promised, realised) => `承诺 ${promised}，实际 ${realised}`, amountNote: (promised, realised) => `平均承诺 ${promised}，实付 ${realised}`, amountRule: '相差不超过 5 % 或 ¥0.50',
  apartNote: (elsewhere, gaveUp, open) => `${elsewhere} 人去了别处，${gaveUp} 人放弃，${open} 人未结束`, apartCount: (n) => `${n} 人`,
  calibration: '承诺的九成等待与实际的九成等待', calibrationNote: '每个圆点是承诺相近的一组等待，大小表示次数。在线上表示承诺准确；在线上方表示车主等得更久。', calibrationNone: '会话结束后，这里会对照承诺。',
  axisPromised: '承诺（分钟）', axisRealised: '实际（分钟）', dot: (promised, realised, within, n) => `承诺 ${promised}，九成车主等待不超过 ${realised}；${n} 次中 ${within} 兑现`,
  behind: (group) => `${group} 的决策`, noBehind: '这段时间内没有决策。', made: '时间', came: { kept: '在该站充电', elsewhere: '去了别处', gave_up: '放弃', open: '未结束' }, decision: '决策', outcome: '结果', tookOther: (name) => `车主选择了另一个方案：${name}。`,
  replay: '用其他权重重放', replayNote: '同一时刻、同样的车主，依据当时的输入重新决策。城市中不会有任何改变。', times: (n) => `× ${n}`,
  weights: { value_of_time: '时间价值', amount: '车主支付', wait_risk: '等待风险', utilisation: '车位均衡', others_per_h: '预计其他车主', regional_load_per_kwh: '当地电网负荷' },
  outage: (name) => `${name} 停用`, run: '重放', reset: '重置', then: '当时', now: '改变之后', stationRow: '充电站', sameChoice: '选择不变。', otherChoice: (name) => `会选择 ${name}。`, nothingLeft: '没有充电站能满足。',
  together: (moved, n) => `一起决策的 ${n} 位车主中，${moved} 位会去别的站。`, exact: '不作改变时，结果与当时完全一致。', notExact: '不作改变时，结果与当时不一致：城市数据或程序已有变化。', notKept: '这条决策的输入没有保留，无法重放。',
}
