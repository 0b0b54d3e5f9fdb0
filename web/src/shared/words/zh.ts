/** 简体中文。 */

import type { Words } from './en'
import { accountable } from './accountable.zh'
import { fleet } from './fleet.zh'
import { outlook } from './outlook.zh'
import { queueing } from './queueing.zh'

export const zh: Words = {
  fleet, queueing, accountable, outlook,
  languageSwitch: 'English', switchTo: '切换到英文', language: '简体中文',
  justNow: '刚刚', loading: '加载中…', close: '关闭', back: '返回', all: '全部', now: '现在', tryAgain: '重试', none: '无',
  noReply: '无法连接服务器。请检查网络；恢复后页面会自动继续。',
  starting: '系统正在启动，几秒后出现第一幅画面。',
  logIn: '登录', logInTitle: '登录 Chargeloop', accountName: '名称', password: '密码', wrongPassword: '名称或密码不正确。',
  logInHelp: '没有账户？请向本平台的运营商索取。若有 API 令牌，请在网址后加 ?token= 和令牌打开本页。',
  notFound: (what) => `未找到：${what}`, failed: (why) => `操作未成功：${why}`,
  driving: '行驶', waiting: '等待', charging: '充电',
  sum: (total, drive, wait, charge) => `${total} = 行驶 ${drive} + 等待 ${wait} + 充电 ${charge}`,

  skip: '跳到正文', city: '城市', energy: '能源', forecast: '预测', driverPage: '车主页面', pages: '页面',
  search: '查找充电站', searchHint: '名称、编号或区域', nothingFound: '没有这个名称的充电站。', help: '键盘帮助',
  map: '地图', table: '表格', mapOrTable: '地图或表格',
  live: '实时', cut: '已断开', cutSince: (age) => `已断开 · 数据为 ${age}前 · 正在重连`, ageNow: (age) => `实时 · ${age}前`,
  secondsShort: (n) => `${n} 秒`, minutesShort: (n) => `${n} 分钟`, waitingForServer: '正在连接',
  cityTime: '城市时间', aboutData: '数据说明',
  noWebGl: '此浏览器无法绘制地图（缺少 WebGL），以下以表格显示相同内容。',
  keys: [['/', '查找'], ['↑ ↓', '在列表中移动'], ['Enter', '打开'], ['Esc', '关闭面板，回到上一级'], ['t', '地图或表格'], ['1 2 3 …', '依次打开各页面'], ['?', '本帮助']],

  figures: '关键指标', load: '负荷', ofLimit: (limit) => `上限 ${limit}`, ofAll: (n) => `共 ${n} 个`, busyBays: '使用中的车位', waitingDrivers: '等待的车主',
  inMinutes: (n) => `${n} 分钟后`, saved: '今日节省时间', savedNote: '与去最近的站相比', carbon: '今日 CO₂', carbonNote: (kwh) => `对应 ${kwh}`,
  served: '已服务', servedNote: (n) => `今日 ${n} 个请求`, meanWait: (wait) => `平均等待 ${wait}`, minutesUnit: '分钟', hours: '小时',

  mapLabel: '城市地图：充电站与充电需求预测', legendBays: '面积：车位数', legendBusy: '填充：使用率', legendQueue: '琥珀色环：排队', legendHeat: '光晕：预测需求', legend: '图例', legendOut: '灰色：停用',
  hourLabel: '预测的时段', hourNow: '本小时', expected: (q50, q10, q90) => `预计 ${q50}（${q10} 至 ${q90}）`,
  decisions: '最新决策', noDecisions: '还没有决策：车主提出请求后会显示在这里。', noStation: '没有充电站能满足',
  why: '原因', opens: (name) => `打开 ${name}`,
  tip: (busy, bays) => `${bays} 个车位，使用中 ${busy}`, tipQueue: (n) => `${n} 人等待`,
  exportCsv: '导出 CSV', stationsCount: (n) => `${n} 个充电站`,
  columns: { station: '充电站', zone: '区域', operator: '运营商', bays: '车位', busy: '使用中', free: '空闲', queue: '排队', inbound: '在途', out: '停用', waitDc: '快充等待（分钟）', waitAc: '慢充等待（分钟）', power: '功率（kW）' },

  station: '充电站', operator: '运营商', zone: '区域',
  siteTypes: { residential: '住宅区', office: '办公区', public: '公共区', highway_service: '高速服务区' },
  statuses: {
    available: '空闲', preparing: '插枪中', charging: '充电中', suspended_ev: '车辆暂停', suspended_evse: '充电桩暂停', finishing: '即将结束',
    reserved: '已预约', unavailable: '停用', faulted: '故障',
  },
  bays: '车位', queue: '排队', queueOf: (n) => `排队 ${n} 人`, inboundOf: (n) => `在途 ${n} 人`, freeOf: (free, bays) => `${bays} 个中空闲 ${free} 个`,
  expectedWait: '预计等待', in30: '30 分钟后', in60: '60 分钟后', waitBand: '十次等待中有八次在此范围内', fast: '快充（直流）', slow: '慢充（交流）', noBay: '没有可用车位',
  powerOfLimit: '接入点功率', otherLoad: '含建筑自身负荷',
  sessions: '充电会话与离开时间', sessionsNote: '每条从插枪到车主离开；填充为已充电量，阶梯为计划功率。',
  noSessions: '目前没有车辆接入。', leaves: (at) => `${at} 离开`, leavesUnknown: '离开时间未知', done: '已充满，尚未拔枪',
  deliveredOf: (a, b) => `${a} / ${b}`, planFrom: (kw) => `计划 ${kw}`, ocpp: 'OCPP 接入', offline: '未连接', reservedUntil: (at) => `至 ${at}`,
  prices: '分时价格', priceNow: (price) => `当前每 kWh ${price}`, energyPart: '电费', servicePart: '服务费',
  recent: '最近的会话', noRecent: '还没有会话。', started: '开始', ended: '结束', bay: '车位', energyColumn: '电量', open: '进行中',
  sentHere: '引导到此处的决策', noneSent: '还没有车主被引导到此处。', noCharger: '还没有充电桩接入：请让充电桩以车位名称连接本服务器的 OCPP 地址。',

  whyTitle: '为什么是这个站', decision: '决策', asked: '请求时间', vehicle: '车辆', battery: '电量', toSoc: (from, to) => `${from} → ${to}`, leaveBy: '最晚离开', solver: '求解器',
  sentence: (name, sum, amount) => `${name}：${sum}，${amount}`,
  nearer: (name, by, but) => `${name}近 ${by}，但${but}`,
  cheaper: (name, by, but) => `${name}便宜 ${by}，但${but}`,
  lostBecause: (name, why) => `${name}${why}`, whyLost: '落选原因',
  butWait: (m) => `预计等待 ${m}`, butFarther: (m) => `远 ${m}`, butLonger: (m) => `充电多用 ${m}`, butCosts: (m) => `多花 ${m}`,
  against: {
    utilisation: '会使各处车位使用更不均衡', regional_load: '所在电网区域负荷更高', energy_price: '用电时段电价更高', priority: '完成得太晚',
    demand_intensity: '预计那里会来更多车主', uncertainty: '等待可能长得多', preference: '不符合车主要求的排序',
    detour: '绕路更多', v2g: '送电收益较少',
  },
  termNames: {
    drive: '行驶时间', detour: '绕行', v2g: '向电网送电', wait: '等待时间', charge: '充电时间', amount: '车主支付', utilisation: '车位均衡', regional_load: '当地电网负荷',
    energy_price: '电价', distance: '距离', priority: '延误', demand_intensity: '预计其他车主', uncertainty: '等待风险', preference: '车主偏好',
  },
  sentenceEnd: '。', sentenceJoin: '；',
  noOther: '没有其他充电站可选。', noStationCould: '没有充电站能满足这个请求。',
  termsTitle: '权衡的各项', termsNote: '目标函数各项，单位：元；总和最低者最优。', objective: '总和', chosen: '选中', facts: '事实',
  rowDrive: '行驶', rowWait: '等待（九成情况不超过）', rowCharge: '充电', rowEnergy: '电量', rowArrival: '到达时电量', rowAmount: '费用',
  promised: '承诺与实际', promise: '承诺', happened: '实际', waitWord: '等待', amountWord: '费用', notYet: '尚无', notOver: '会话尚未结束；实际结果会显示在这里。', kept: '兑现', missed: '未兑现',
  routeTo: '前往路线', routeFacts: (km, min, kwh) => `${km}，${min}，${kwh}`, noRoute: '无法显示路线。', straight: '按直线估算', decisionGone: '没有这条决策的记录。',

  energyTitle: '电路', energyNote: '从区域到每个站点的负荷与上限。影子价格（0 到 1）表示被该电路限制的会话中最紧迫者的紧迫程度；电路有余量时为 0。',
  circuit: '电路', circuitKinds: { region: '区域', transformer: '变压器', feeder: '馈线', site: '站点' }, loadColumn: '负荷', limitColumn: '上限', shareColumn: '占用', baseColumn: '其他负荷', plannedColumn: '计划', shadowColumn: '影子价格',
  binding: '上限起作用', expand: (name) => `展开 ${name}`, collapse: (name) => `收起 ${name}`, onlyBinding: '只看上限起作用或占用超过 80 % 的', noneBinding: '没有电路接近上限。', tight: '紧张', overLimit: '超过上限',

  forecastTitle: '未来 24 小时充电需求', wholeCity: '全市', zoneChoice: '区域', forecastNote: '每小时 kWh；色带包含十次中八次的结果。', madeAt: (at) => `自 ${at} 起`, median: '预计', band: '10 % 至 90 %',
  peak: '高峰', peakAt: (hour, q50, q10, q90) => `${hour}：${q50}（${q10} 至 ${q90}）`, dayTotal: (q50) => `24 小时共 ${q50}`, busiest: '高峰时最繁忙的区域', asTable: '以表格显示', hour: '时段',

  driverTitle: '在合适的地方充电', where: '您在这里', whereHint: '点按地图，或拖动圆点', locate: '使用我的位置', locating: '正在定位…', locateDenied: '未获得位置权限：请点按地图。', locateOutside: '您不在这座城市内：请点按地图。',
  driverMap: '地图：点按您所在的位置', batteryNow: '当前电量', vehicleLabel: '车辆', stay: '您能停留多久？', leaveAt: '或最晚离开', hoursShort: (n) => `${n} 小时`, overnight: '过夜', kindOfCharging: '充电方式', sortBy: '优先显示',
  sorts: { soonest: '最快', cheapest: '最便宜', nearest: '最近' }, find: '查找充电站', finding: '正在比较所有充电站…', speedNote: '目标 80 %',
  notNowTitle: '不着急', notNow: (soc, at) => `您还有 ${soc} 电量，足够等到 ${at}。`, notNowCheaper: (saves) => `届时充同样的电便宜 ${saves}。`, notNowSooner: (saves) => `您和其他车主可少等 ${saves}。`, showAnyway: '仍然显示充电站', later: '我晚点再来', laterDone: (at) => `好的，${at} 之后见。`,
  offersTitle: (n) => `${n} 个好选择`, offerOne: '一个选择', ourPick: '最适合您', arrival: (soc) => `到达时电量 ${soc}`, sure: (wait, p90) => `等待 ${wait}，最多 ${p90}`, noWaitAtAll: '预计无需等待', noWait: (p90) => `预计无需等待，最多 ${p90}`, total: '总计',
  hold: '预留车位', holdAt: (name) => `在 ${name} 预留车位`, holding: '正在预留…', change: '修改',
  noOffers: '目前没有充电站能满足。', noOffersHint: '请延长停留时间、换一种充电方式，或把圆点移近城市。',
  pickBest: '综合时间、价格和城市负荷后的最佳选择', pickTime: (m) => `比最佳选择快 ${m}`, pickSaves: (m) => `便宜 ${m}`, pickNearer: (m) => `近 ${m}`, pickLessWait: (m) => `少等 ${m}`, but: '，但',
  heldTitle: '车位已为您预留', queuedTitle: '已为您保留排队位置', bayNumber: '车位', expires: (rel, at) => `保留至 ${at}（${rel}）`, arriveAt: (at) => `${at} 到达`, plugIn: '到达后插枪，充电自动开始。', cancel: '取消预留', used: '您正在充电，祝您休息愉快。', newSearch: '重新查找', wayEnergy: '途中耗电',
  problem404: '这个方案已失效，请重新查找。', problem409: '您已预留了一个车位，请先取消或使用它。', problem422: (why) => `请求中有不合适的内容：${why}。请修改后重试。`, problem503: '系统刚刚启动，页面会自动重试。', problemOffline: '没有网络连接，没有预订任何车位；联网后请重试。', searchAgain: '重新查找', console: '城市控制台',
}
