/** 充电桩、账户与审计页面的简体中文。 */

import type { fleet as english } from './fleet.en'

export const fleet: typeof english = {
  chargers: '充电桩', count: (n) => `${n} 个充电桩`, search: '查找充电桩', searchHint: '名称、充电站、厂商、型号、序列号、固件、问题',
  health: { ok: '正常', warning: '警告', fault: '故障', offline: '离线', quarantined: '未知' },
  states: { adopted: '使用中', quarantined: '等待接纳', retired: '已停用' },
  byHealth: '按状态分类的充电桩', all: '全部', none: '没有符合条件的充电桩。', showAll: '显示全部充电桩', problem: (why) => `列表未能更新。${why}`,
  columns: { health: '状态', charger: '充电桩', station: '充电站', version: '协议', firmware: '固件', security: '安全', link: '连接', sessions: '会话', problems: '问题' },
  csv: { health: '状态', state: '阶段', charger: '充电桩', station: '充电站', bays: '车位', vendor: '厂商', model: '型号', serial: '序列号', firmware: '固件', version: '协议', security: '安全配置', connected: '已连接', since: '连接始于', seen: '最后消息', address: '地址', sessions: '进行中的会话', problems: '问题' },
  since: (rel) => `${rel}连接`, seen: (rel) => `最后消息 ${rel}`, neverSeen: '从未连接', yes: '是', no: '否', more: (n) => `另有 ${n} 项`,
  page: (from, to, of) => `第 ${from} 至 ${to} 个，共 ${of} 个`, earlier: '上一页', later: '下一页', pager: '列表分页',
  atStation: '本站的充电桩', newcomers: (n) => `有 ${n} 个未知充电桩请求接入`, newcomersNote: '它们可以连接，但在被接纳之前不能做任何事。', newcomersAll: (n) => `显示全部 ${n} 个`,
  adopt: '接纳', adoptThis: (id) => `接纳 ${id}`, fromAddress: (address) => `来自 ${address}`,
  emptyTitle: '还没有充电桩：两分钟即可接入一个', emptySteps: ['打开充电桩的设置（屏幕、应用或网页），找到“OCPP 服务器”“中央系统”或“后台地址”。', '填入以下地址。最后一段是充电桩的名称，可用序列号或任意名称。', '保存。充电桩会重新连接，并作为未知充电桩出现在本页；点按“接纳”。'],
  emptyLoopback: '本服务器只接受本机连接：要接入网络中的充电桩，请以 --host 0.0.0.0 启动。', orOpen: '充电桩不支持 TLS 时，仅限封闭网络或 VPN：', ownName: '充电桩名称', copy: '复制', copied: '已复制', copyIt: (what) => `复制${what}`,

  back: '全部充电桩', gone: (id) => `没有充电桩 ${id}。`, maker: '厂商与型号', serial: '序列号', firmware: '固件', version: '协议', profile: '安全', certificate: '证书到期', station: '充电站', address: '地址', connection: '连接', first: '首次出现', sessions: '进行中的会话',
  notConnected: '未连接', noProblems: '一切正常。', problems: '问题', connectors: '连接器', connector: (n) => `连接器 ${n}`, noConnectors: '充电桩尚未上报连接器。', statusSince: (rel) => `始于 ${rel}`,
  retire: '停用', retireAsk: (id) => `要停用 ${id} 吗？再次接纳之前将拒绝其连接；历史记录保留。`, retireYes: '确认停用', cancel: '取消', unplaced: '无充电站', quarantineNote: '这是未知充电桩。它可以连接并等待；接纳后即可使用。', retiredNote: '此充电桩已停用：连接时会被拒绝。',

  messages: '消息', pause: '暂停', resume: (n) => `继续（${n} 条新消息）`, fromCharger: '来自充电桩', toCharger: '发往充电桩', kinds: { call: '请求', result: '应答', error: '错误', send: '通知' }, anyAction: '所有动作', actionFilter: '动作', bothWays: '双向', directionFilter: '方向', textFilter: '在消息中查找', noMessages: '还没有消息。', noSuchMessages: '没有符合条件的消息。', older: '更早的消息', allShown: '以上是保存的全部消息。',
  streamCut: '实时流已断开，正在重连。', following: '实时', paused: '已暂停', copyMessage: '复制这条消息',

  commands: '命令', mayNot: '您的账户不能发送命令。', mustConnect: '充电桩未连接：命令现在无法送达。', mustAdopt: '命令只用于已接纳的充电桩。', action: '命令', send: '发送', sending: '正在等待应答…', form: '表单', json: 'JSON', formOrJson: '填写方式', jsonLabel: '以 JSON 填写请求', badJson: (why) => `这不是 JSON：${why}`, notInForm: '表单无法显示这段 JSON 的全部内容，保持原样。', nothingToSay: '此命令无需其他内容。',
  quick: { reset: '重启', unlock: '解锁', status: '触发状态上报', configuration: '读取配置', report: '读取报告', availability: '更改可用性' }, quickLabel: '常用命令', required: '必填', add: (what) => `添加 ${what}`, remove: (what) => `移除 ${what}`, inUtc: 'UTC', item: (n) => `第 ${n} 项`,
  answers: '命令与应答', outcomes: { answered: '已应答', error: '以错误拒绝', timeout: '未按时应答', offline: '未连接', adopted: '已接纳', retired: '已停用', done: '已完成', sent: '已发送', 'up to date': '已是最新', 'not supported': '此充电桩不支持', refused: '充电桩已拒绝', Accepted: '已接受', Rejected: '已拒绝', Scheduled: '已排期', Unlocked: '已解锁', RebootRequired: '需重启', NotSupported: '不支持', NotImplemented: '未实现', UnknownConnector: '未知连接器', '': '失败或未知' }, asked: '发送', answer: '应答', by: (name) => `由 ${name}`, took: (ms) => `用时 ${ms}`,

  schedule: '未来限值', scheduleNote: '充电桩表示将遵守的限值：其持有的全部充电配置合并后的结果。', hoursAhead: '时间范围', nextHours: (n) => `未来 ${n} 小时`, askSchedule: '询问充电桩', chargerLimit: (unit) => `充电桩限值（${unit}）`, ourPlan: (unit) => `我们的计划（${unit}）`, cityTimeAxis: '城市时间', asTable: '以表格显示', from: '起始', limit: '限值',

  upkeep: '维护', passwordChore: '密码', passwordChoreNote: '通过其连接为充电桩设置新密码；任何人都看不到。', changePassword: '更换密码', changePasswordAsk: (id) => `要为 ${id} 更换密码吗？它将以新密码重新连接；在此之前旧密码仍有效。`, changePasswordYes: '确认更换',
  listChore: '凭证列表', listChoreNote: '充电桩离线时谁可以充电。', listChanges: '发送更改', listAll: '全部发送', listHas: (version, entries) => `版本 ${version}，凭证 ${entries} 个`, listLeftOut: (n) => `因过长而未包含：${n} 个`,
  notices: '充电桩通知', firmwareStatus: '固件更新', diagnosticsStatus: '日志上传',

  adoptTitle: (id) => `接纳 ${id}`, adoptNote: '说明它在哪里、每个连接器对应哪个车位，以及它如何证明身份。', where: '它在哪里？', bays: '每个连接器对应哪个车位？', evse: (n) => `EVSE ${n}`, bay: '车位', chooseBay: '选择车位', bayTaken: (charger) => `已由 ${charger} 使用`, noFreeBay: '此充电站的所有车位都已有充电桩：请选择其他充电站，或停用已拆除的充电桩。', addConnector: '添加连接器', dropConnector: (name) => `移除${name}`,
  security: '它如何证明身份？',
  profiles: [
    ['0 · 无密码', '任何知道名称的人都能冒充此充电桩：仅限实验台，绝不用于街头。'],
    ['1 · 密码', '充电桩通过未加密的连接出示密码：仅限封闭网络或 VPN。'],
    ['2 · TLS 加密与密码', '充电桩校验我们的证书，并通过加密连接出示密码：适用于公共互联网。服务器需要证书。'],
    ['3 · 双向证书', '充电桩通过 TLS 出示自己的证书：最安全，需要先在桩上安装证书。'],
  ],
  setPassword: '为它生成新密码', setPasswordNote: '此前的密码随即失效。', adoptDo: '接纳', chooseFirst: '请先选择充电站，并为每个连接器选择车位。',
  adopted: (id) => `${id} 已接纳`, passwordTitle: '它的密码，仅显示这一次', passwordNote: '系统只保存其散列值：请立即复制。如遗失，请重新接纳以获得新密码。', password: '密码', setAt16: '在充电桩上：将“AuthorizationKey”设为此密码，并将“SecurityProfile”设为', setAt2: '在充电桩上：将“BasicAuthPassword”（SecurityCtrlr）设为此密码，并将其网络连接的安全配置设为', setUser: '如需用户名：', open: '打开充电桩',

  accounts: '账户', accountsNote: '谁可以登录，以及各自可以做什么。', role: '角色',
  roles: { operator: '运营商', centre: '城市中心', regulator: '监管机构', grid: '电网', fleet: '车队管理', technician: '技术员', driver: '车主' },
  permissions: { see: '查看城市、充电站与预测', decide: '请求推荐与预约', chargers: '查看充电桩及其消息', command: '向充电桩发送命令', adopt: '接纳与停用充电桩', tokens: '管理可充电的凭证', audit: '查看审计', accounts: '管理账户', queue: '设置排队规则', money: '查看会话与金额' },
  rolesTitle: '各角色可以做什么', addAccount: '添加账户', add_: '添加', disable: '禁用', enable: '启用', disabled: '已禁用', active: '有效', state: '状态', you: '您', change: '修改', save: '保存', newPassword: '新密码', keepPassword: '留空则保留原密码', removeAccount: '移除', removeAsk: (name) => `要移除账户 ${name} 吗？其操作仍保留在审计中。`, removeYes: '确认移除', noAccounts: '还没有账户', noAccountsNote: '目前服务器只接受本机连接，本机上的任何人都可以进行一切操作。请先为自己添加一个运营商账户；此后所有人都需要登录。', passwordRule: '至少 10 个字符', chooseRole: '请至少选择一个角色。',

  audit: '审计', auditNote: '每条命令和每次更改：由谁执行，结果如何。', who: '账户', when: '时间', what: '操作', deeds: { adopt: '接纳', retire: '停用', 'add account': '添加账户', 'change account': '修改账户', 'remove account': '移除账户', 'put token': '设置凭证', 'remove token': '移除凭证', password: '更换密码', 'local list': '发送凭证列表', 'ask variables': '读取设置', 'meter keys': '设置电表公钥', 'queue policy': '更改排队规则', }, outcome: '结果', anyone: '所有账户', anyCharger: '所有充电桩', noAudit: '没有符合条件的记录。', moreAudit: '显示更多',

  loggedInAs: (name) => `已登录：${name}`, local: '本机', localNote: '还没有账户：本机上的任何人都可以进行一切操作。', noLogin: '对本机开放，无需登录', firstAccount: '添加第一个账户', logOut: '退出登录', nowLogIn: '已有账户，今后所有人都需要登录。', expired: '您的会话已结束。请登录，从原处继续。', noRight: '您的账户不能查看此页面。',
}
