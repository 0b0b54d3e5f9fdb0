/** 虚拟排队的中文。 */

import type { queueing as en } from './queueing.en'

export const queueing: typeof en = {
  phases: { waiting: '等待中', resting: '暂时让后一位先充', offered: '等待答复', held: '已预留车位' },
  ends: { used: '已插枪', cancelled: '已取消', expired: '未等到车位', declined: '已拒绝', unanswered: '未答复', no_show: '未到场', moved: '已改去其他站', held: '' },
  dimensions: { energy: '电费', service: '服务费', idle: '占位费' },

  place: (n, of) => `第 ${n} 位，共 ${of} 位`, next: '下一位就是您', expected: (rel, at) => `预计${rel}有车位，${at}`, expectedNow: '预计随时会有车位', expectedUnknown: '这里目前没有可用的车位',
  told: (answer) => `请保持本页打开。一有空位就会在这里询问您，您有 ${answer}答复。`, resting: (at) => `您已让后一位先充。您的位置保留，${at} 起会再次询问您。`, keptUntil: (at) => `位置保留至 ${at}`,
  here: '我已到站', hereDone: '已知您到达。', leave: '退出排队',

  offerTitle: '有一个车位可以给您', answerWithin: (time) => `请在 ${time} 内答复`, accept: '我要这个车位', snooze: '让后一位先充', snoozesLeft: (n) => `还可 ${n} 次`, noSnooze: '若不答复，您将退出排队。', silence: '若不答复，则由后一位先充。',
  tooLate: '答复太迟：该车位的询问已结束。',

  changed: '情况有变', bayLost: (bay, why) => `车位 ${bay} ${why}。您的排队位置保留。`, lost: { fault: '发生故障', taken: '被未预留的车辆占用', charger: '的预留被充电桩取消' },
  better: (name, sooner) => `去${name}可以早 ${sooner}充完。`, betterOnly: (name) => `这里没有可用车位，${name}可以充电。`, betterFacts: (min, amount) => `总计 ${min}，${amount}`,
  go: (name) => `改去${name}`, keep: '保留我的位置', lookElsewhere: '放弃并重新查找',

  charging: '正在充电', soFar: '目前', done: '充电完成，谢谢。', promisedTook: (promised, took) => `承诺 ${promised}，实际 ${took}`, promisedOnly: (promised) => `承诺 ${promised}`,
  bill: '您的账单', sum: '合计', promisedAmount: (amount) => `承诺 ${amount}`, wait: '等待', energy: '电量', proof: '凭证', verified: '电表已对读数签名，签名核验无误。', unsigned: '电表不签名；账单以充电桩上报为准。', notes: '备注', session: (id) => `会话 ${id}`,
  ended: { cancelled: '已取消。谢谢，其他车主现在可以使用了。', expired: '未能及时等到车位，您的排队位置已结束。', declined: '您已退出排队。', unanswered: '您没有答复，位置已让给他人。', no_show: '您未及时插枪，车位已让给他人。', moved: '您已改去其他充电站。' },
  whyNot: (why) => `未首选：${why}`,

  title: '排队', note: '谁在等车位、正在询问谁、今天等了多久，以及排队规则。', inQueue: '排队中', asked: '等待答复', held: '已预留车位', waitsToday: '今日等待', meanP95: (p95) => `95 % 不超过 ${p95}`, noShows: '今日未到场', ofDrivers: (n) => `${n} 人到场充电`, joined: (n) => `今日预留 ${n} 次`,
  empty: '目前没有人排队等车位。', emptyHint: '车主在没有空位的站预留后，会按将被询问的顺序显示在这里。', noneToday: '今天还没有人使用预留。',
  drivers: '车主', stations: '今日各站', endsTitle: '今日预留的结果', rules: '规则', rulesNote: '从现在起对每次询问生效。每次更改都有记录。', mayNot: '只有运营商可以更改规则。',
  columns: { station: '充电站', place: '位次', state: '状态', bay: '车位', since: '加入时间', until: '截止', snoozes: '推迟', before: '以往未到场', waiting: '等待', held: '已预留', drivers: '已充电', mean: '平均等待', p95: '95 % 不超过', noShows: '未到场' },
  emergency: '应急车辆',
  policy: { answer: '答复时间', answerNote: '从询问车主起算', snoozes: '可推迟次数', snoozesNote: '车主最多可让后一位先充几次', snooze: '每次推迟时长', snoozeNote: '之后再次询问', plugIn: '插枪时间', plugInNote: '从到达已预留的车位起算；超时即为未到场', near: '视为在附近', nearNote: '预计在此时间内到达的，与已到站者同等询问', keep: '位置保留', keepNote: '超过承诺的开始时间之后' },
  minutes: '分钟', times: '次', save: '保存规则', saved: '已保存：新规则从现在起生效。', unchanged: '没有改动。', refused: (why) => `未保存：${why}`,
}
