/** 未来展望与预测评分的用语。 */

import type { outlook as english } from './outlook.en'

export const outlook: typeof english = {
  shortages: '车位将不足', noShortages: '未来 24 小时内，预计没有区域车位不足。',
  shortage: (zone, bays, begin, end, probability) => `区域 ${zone} 在 ${begin} 至 ${end} 之间还需要 ${bays} 个车位，概率 ${probability}`,
  shortageOne: (zone, begin, end, probability) => `区域 ${zone} 在 ${begin} 至 ${end} 之间还需要 1 个车位，概率 ${probability}`,
  shortageFacts: (needed, bays) => `按中位数需要 ${needed} 个，现有 ${bays} 个`, told: '已通知', seen: '已察觉，未通知', more: (n) => `另有 ${n} 条`,
  shortageNote: '需要的车位数按“十位到达者中九位能立即找到车位”计算。概率达到 50 % 时通知，低于 30 % 时撤回。',
  peak: '高峰', cityPeak: (when, chance) => `最可能在 ${when} 这一小时（${chance}）`, peakHeight: (q50, q10, q90) => `高达 ${q50}（${q10} 至 ${q90}）`,
  trends: '习惯的变化', noTrends: (n) => `所看的 ${n} 项习惯中，没有超出偶然的变化。`, trendsNote: (n) => `所看的是最近几周的 ${n} 项习惯；显示的变化中可能有十分之一出于偶然。`,
  trend: { level: (change) => `充电量${change}`, peak_hour: (change) => `充电时间${change}`, rest_share: (change) => `休息日充电${change}` },
  later: (h) => `推迟 ${h}`, earlier: (h) => `提前 ${h}`, more_by: (share) => `增加 ${share}`, less_by: (share) => `减少 ${share}`, within: (days) => `${days} 天内`, cityUnit: '全市', districtUnit: (name, zones) => `片区 ${name}（${zones}）`, zoneUnit: (name) => `区域 ${name}`,
  stopped: '停滞的数据', noStopped: '所有数据都在更新。', frozen: (value) => `停在 ${value}`, idle: '没有数据', silent: '有车充电，但没有消息', since: (at) => `自 ${at} 起`,
  stationUnit: (name) => `充电站 ${name}`, stoppedZone: '数据已停滞', legendShort: '红环：该时段车位不足', legendStopped: '灰环：数据停滞',

  scores: '预测的准确度', scoresNote: '每次预测都按作出时的样子保存，时段结束后与实际对照。数据停滞的区域不计入。', toScores: '预测的准确度', toForecast: '预测',
  span: '时段', spans: { '1': '最近一天', '7': '最近 7 天', '30': '最近 30 天' },
  noScores: '还没有评分：第一次预测两小时后，开始为第一个时段评分。', levels: { zone: '区域', district: '片区', city: '全市' },
  columns: { level: '层级', ahead: '提前量', hours: '已评时段', units: '单元', mae: '平均误差（kWh）', relative: '相对平均时段', naive: '上周同时段', pinball: '分位损失（kWh）', coverage: '在色带内', drift: '漂移' },
  coverageAim: '目标 77 % 至 83 %', below: '偏窄', above: '偏宽', onAim: '达标', tooFew: '次数太少，无法判断',
  drift: { yes: '误差变大', no: '与往常一样', unknown: '天数还不够' }, driftNote: (recent, before) => `本周 ${recent}，此前 ${before}`,
  drifted: (n) => `有 ${n} 项（层级与提前量）的误差超出往常。`, notDrifted: '误差与往常一样。', driftUnknown: '有三周的评分之后才能判断漂移。',
  past: '当时作出的预测', pastChoice: '起始时间', pastUnit: '范围', madeAt: (at) => `作出时间 ${at}`, came: '实际', none: '还没有保存的预测。',
}
