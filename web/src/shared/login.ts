/** Who is asking? A form for name and password, shown until the server knows. */

import './login.css'
import { api, patiently, Problem, type Me } from './api'
import { h } from './dom'
import { language, switchLanguage, words } from './words'
import { wrong } from './wrong'

/** Who is asking; where the server does not know, the form stands in `place` until somebody has logged in. */
export async function whoIsAsking(place: HTMLElement, onWait: (problem: Problem) => void): Promise<Me> {
  try {
    return await patiently(api.me, onWait)
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error
  }
  return new Promise((done) => {
    const form = loginForm(done)
    place.replaceChildren(h('main', { class: 'login-page' },
      h('button', { class: 'plain', onclick: switchLanguage, 'aria-label': words.switchTo, 'data-testid': 'language', lang: language === 'en' ? 'zh-CN' : 'en' }, words.languageSwitch), form))
    form.querySelector('input')?.focus()
  })
}

export function loginForm(onDone: (me: Me) => void): HTMLFormElement {
  const alert = h('p', { class: 'bad', role: 'alert' })
  const name = h('input', { name: 'username', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' })
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true })
  const button = h('button', { class: 'primary', type: 'submit' }, words.logIn)
  const submit = async (event: Event) => {
    event.preventDefault()
    button.disabled = true
    alert.textContent = ''
    try {
      onDone(await api.login(name.value, password.value))
    } catch (error) {
      alert.textContent = error instanceof Problem && error.status === 401 ? words.wrongPassword : wrong(error)
      password.select()
    }
    button.disabled = false
  }
  return h('form', { class: 'login', onsubmit: submit, 'data-testid': 'login', 'aria-label': words.logIn },
    h('img', { src: './icon.svg', alt: '', width: 36, height: 36 }), h('h1', {}, words.logInTitle),
    h('label', {}, h('span', {}, words.accountName), name), h('label', {}, h('span', {}, words.password), password), alert, button,
    h('p', { class: 'quiet small' }, words.logInHelp))
}
