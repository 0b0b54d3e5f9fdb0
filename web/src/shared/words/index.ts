/** The page's language: `?lang=`, then what was chosen before, then the browser's. A change reloads the page. */

import { en, type Words } from './en'
import { zh } from './zh'

const KEY = 'chargeloop-language'
const known = { en, 'zh-CN': zh }
export type Language = keyof typeof known

function chosen(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(KEY) ?? navigator.language
  return asked.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

export const language: Language = chosen()
export const words: Words = known[language]
document.documentElement.lang = language

export function switchLanguage(): void {
  localStorage.setItem(KEY, language === 'en' ? 'zh-CN' : 'en')
  const address = new URL(location.href)
  address.searchParams.delete('lang')
  if (address.href === location.href) location.reload()
  else {
    history.replaceState(null, '', address)
    location.reload()
  }
}

/** The word for a value that the server names, or that name itself where there is none yet. */
export const said = (names: Readonly<Record<string, string>>, name: string): string => names[name] ?? name.replaceAll('_', ' ')
