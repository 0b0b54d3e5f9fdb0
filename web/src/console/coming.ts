/** What the outlook says, as lists: shortages, the peak, changed habits, and feeds that have stopped. */

import { h } from '../shared/dom'
import { clock, dayAndClock, kilowattHours, number, share } from '../shared/format'
import type { Outlook, Trend } from '../shared/outlook'
import { words } from '../shared/words'
import { shortageSentence } from './shortage'
import type { State } from './state'

const SHOWN = 8

export function coming(state: State, outlook: Outlook, choose: (zone: string) => void): HTMLElement[] {
  return [shortages(outlook, choose), h('div', { class: 'two even' }, trends(outlook), stopped(state, outlook))]
}

export function peakLines(outlook: Outlook): HTMLElement[] {
  const peak = outlook.peaks[0]
  if (!peak) return []
  return [h('p', { 'data-testid': 'peak' }, h('b', {}, words.outlook.cityPeak(clock(peak.at), share(peak.chance))), ' ', words.outlook.peakHeight(kilowattHours(peak.q50_kwh), kilowattHours(peak.q10_kwh), kilowattHours(peak.q90_kwh)))]
}

function listed(items: HTMLElement[], testId: string): HTMLElement[] {
  const rest = items.length - SHOWN
  const all = h('ul', { class: 'coming', 'data-testid': testId }, ...items.slice(0, SHOWN))
  return rest > 0 ? [all, h('details', {}, h('summary', {}, words.outlook.more(number(rest))), h('ul', { class: 'coming' }, ...items.slice(SHOWN)))] : [all]
}

function shortages(outlook: Outlook, choose: (zone: string) => void): HTMLElement {
  const items = outlook.shortages.map(({ shortage, told }) => h('li', {},
    h('button', { class: 'link', onclick: () => choose(shortage.zone_id) }, shortageSentence(shortage)),
    h('span', { class: 'quiet small' }, `${words.outlook.shortageFacts(number(shortage.needed), number(shortage.bays))} · `, h('span', { class: told ? 'bad' : '' }, told ? words.outlook.told : words.outlook.seen))))
  return h('section', {}, h('h2', {}, words.outlook.shortages), ...(items.length ? [...listed(items, 'shortages'), h('p', { class: 'quiet small' }, words.outlook.shortageNote)] : [h('p', { class: 'empty', 'data-testid': 'no-shortages' }, words.outlook.noShortages)]))
}

function trends(outlook: Outlook): HTMLElement {
  const items = outlook.trends.map((trend) => h('li', {}, h('b', {}, unitName(outlook, trend.unit_id)), ` ${words.outlook.trend[trend.habit](changeOf(trend))} `, h('span', { class: 'quiet small' }, words.outlook.within(number(trend.days)))))
  const asked = number(outlook.trends_asked)
  return h('section', { 'data-testid': 'trends' }, h('h2', {}, words.outlook.trends), ...(items.length ? [...listed(items, 'trend-list'), h('p', { class: 'quiet small' }, words.outlook.trendsNote(asked))] : [h('p', { class: 'empty' }, words.outlook.noTrends(asked))]))
}

function changeOf({ habit, change }: Trend): string {
  if (habit === 'peak_hour') return (change < 0 ? words.outlook.earlier : words.outlook.later)(words.hoursShort(Math.round(Math.abs(change) * 10) / 10))
  return (change < 0 ? words.outlook.less_by : words.outlook.more_by)(share(Math.abs(change)))
}

function unitName(outlook: Outlook, unit: string): string {
  const zones = outlook.districts[unit]
  return unit === 'city' ? words.outlook.cityUnit : zones ? words.outlook.districtUnit(unit, zones.join(', ')) : words.outlook.zoneUnit(unit)
}

function stopped(state: State, outlook: Outlook): HTMLElement {
  const items = outlook.stopped.map((feed) => {
    const how = feed.unit === 'station' ? words.outlook.silent : feed.value_kwh ? words.outlook.frozen(kilowattHours(feed.value_kwh)) : words.outlook.idle
    const name = feed.unit === 'station' ? words.outlook.stationUnit(state.nameOf(feed.unit_id)) : words.outlook.zoneUnit(feed.unit_id)
    return h('li', {}, h('b', {}, name), ` ${how} `, h('span', { class: 'quiet small' }, words.outlook.since(dayAndClock(feed.since))))
  })
  return h('section', { 'data-testid': 'stopped' }, h('h2', {}, words.outlook.stopped), ...(items.length ? listed(items, 'stopped-list') : [h('p', { class: 'empty' }, words.outlook.noStopped)]))
}
