// The playground page: what ties the form, the snippets, the run bar and the answer together.

import "./form-controls.js"
import "./added.js"
import "./form-files.js"
import "./form-groups.js"
import "./form-help.js"
import "./naming.js"
import "./tools.js"
import "../lib/json-editor.js"
import { carryPrefilled, forget, keep, post, state, textsBefore, touch } from "./form-draft.js"
import { focusPlace, goOnTo, rememberFocus, restoreFocus } from "./form-focus.js"
import { pageHeaders } from "../lib/fragment.js"
import { beginAt, placeProblems, placeTicks, welcome } from "./form-problems.js"
import { showToast } from "./undo.js"

const ask = document.getElementById("ask")
const run = document.getElementById("run")

// --- After every swap -----------------------------------------------------------------------------------------------

function showClocks() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    const moment = new Date(time.dateTime)
    time.textContent = moment.toLocaleTimeString([], { hour12: false })
    time.title = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "long" })
    time.removeAttribute("data-clock")
  }
}

function settle() {
  placeProblems()
  placeTicks(state())
  showClocks()
}

document.addEventListener("htmx:beforeSwap", rememberFocus)
document.addEventListener("htmx:oobBeforeSwap", rememberFocus)
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.closest?.("#poster, #run, #import, #save, #tool-paste")) return
  if (detail.xhr.status === 200) followState()
  if (detail.xhr.status === 200) document.getElementById("prefilled")?.remove()
  if (detail.elt.id === "import" && detail.xhr.status === 200 && !detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.elt.closest("dialog").close()
    detail.elt.reset()
  }
  settle()
  restoreFocus()
})
settle()
carryPrefilled()

function followState() {
  const { focus, said } = state()
  welcome(focus ?? "")
  if (focus) {
    if (said) focusPlace(focus)
    else goOnTo(focus)
  }
  if (said) announce(said)
  tellNotSent(said?.startsWith("Not sent") ? said : "")
  delete document.getElementById("draft-state").dataset.said
}

/** What is not sent says why next to the button, and the groups that hold the problems open. */
function tellNotSent(words) {
  const note = document.getElementById("run-note")
  if (note) note.textContent = words
  if (!words) return
  for (const group of ask.querySelectorAll("details[data-group][data-invalid]")) group.open = true
}

// --- A press that the server did not answer -------------------------------------------------------------------------

function whyUnanswered(status) {
  if (status === 0) return "The server cannot be reached."
  return `The server answered ${status}. ${[403, 404].includes(status) ? "Reload the page." : "Try again."}`
}

for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failed, ({ detail: { elt, xhr, pathInfo } }) => {
    const why = whyUnanswered(xhr.status)
    if (elt === run) tellNotSent(`Not sent. ${why}`), announce(`Not sent. ${why}`)
    const inDialog = elt.querySelector?.("#import-problem, #tool-problem")
    if (inDialog) inDialog.textContent = why
    // What was typed is kept and sent again; a press is not.
    if (elt.id === "poster" && pathInfo.requestPath !== ask.dataset.edit) showToast({ words: `Nothing was changed. ${why}` })
  })
}

function announce(words) {
  document.getElementById("form-said").textContent = words
}

// --- Form and JSON --------------------------------------------------------------------------------------------------

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return
  const tab = target.closest("[data-mode]")
  if (tab?.role === "tab" && tab.ariaSelected !== "true") showAs(tab.dataset.mode)
  const start = target.closest("[data-start]")
  if (start) {
    start.closest("dialog")?.close()
    forget()
    const isEmpty = start.dataset.start === "empty"
    post(ask.dataset.startUrl, { ":start": start.dataset.start }, { target: "#ask", swap: "innerHTML" }).then(() => {
      if (isEmpty && state().mode === "form") beginAt("messages[0]"), focusPlace("messages[0].content")
    })
  }
  if (target.closest("[data-reload-draft]")) {
    forget()
    post(ask.dataset.formUrl, { ":reload": "1", ":mode": state().mode }, { target: "#ask", swap: "innerHTML" })
  }
  const overwrites = target.closest("[data-overwrite]")
  if (overwrites) post(ask.dataset.edit, { ":overwrite": overwrites.dataset.overwrite, ":was": JSON.stringify(textsBefore()) })
  const dismiss = target.closest("[data-dismisses]")
  if (dismiss) document.getElementById(dismiss.dataset.dismisses).replaceChildren()
  const model = target.closest("[data-model]")
  if (model) chooseModel(model)
  if (target.closest("[data-count-tokens]")) countTokens()
  const save = target.closest("[data-save]")
  // First what was typed, then the conversation: the requests wait for each other.
  if (save) keep(), window.htmx.ajax("POST", save.dataset.saveUrl, { source: "#poster", swap: "none" })
})

function showAs(mode) {
  post(ask.dataset.formUrl, { ":mode": mode }, { target: "#ask", swap: "innerHTML" }).then(() => document.getElementById(`as-${mode}`)?.focus())
}

// Somebody else of this page changed the draft: an answer was added to the conversation.
document.addEventListener("draft:changed", () => {
  forget()
  post(ask.dataset.formUrl, { ":reload": "1", ":mode": state().mode }, { target: "#ask", swap: "innerHTML" })
})

for (const list of [ask, document.getElementById("snippets")]) {
  list.addEventListener("keydown", (event) => {
    const tab = event.target.closest('[data-tabs="server"] [role="tab"]')
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!tab || !by) return
    const tabs = [...tab.parentElement.querySelectorAll('[role="tab"]')]
    const next = tabs.at((tabs.indexOf(tab) + by) % tabs.length)
    event.preventDefault()
    next.focus()
    next.click()
  })
}

// --- Models and tokens ----------------------------------------------------------------------------------------------

function chooseModel(button) {
  const field = ask.querySelector('[name="model"]')
  field.value = button.dataset.model
  touch(field)
  keep()
  button.closest("dialog").close()
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element) || !target.closest('[data-opens="models-dialog"]')) return
  window.htmx.trigger("#models-list", "opened")
})
// The list is long: it opens at the model of the request.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "models-list") return
  const model = ask.querySelector('[name="model"]')?.value ?? document.getElementById("model-pick").textContent
  const current = [...target.querySelectorAll("[data-model]")].find(({ dataset }) => dataset.model === model)
  current?.setAttribute("aria-current", "true")
  const dialog = target.closest("dialog")
  const isAtBeginning = dialog.querySelector("header button") === document.activeElement || !dialog.contains(document.activeElement)
  if (dialog.open && isAtBeginning) current?.focus()
})
// The connection's own list is asked for when the reader first turns to the field, and then remembered by the server.
ask.addEventListener("focusin", ({ target }) => {
  const list = document.getElementById("models-list")
  if (target.name !== "model" || list.querySelector("[data-model]")) return
  window.htmx.trigger(list, "opened")
})

const tokenCount = document.getElementById("token-count")

async function countTokens() {
  tokenCount.textContent = "Counting tokens…"
  await keep()
  askForCount()
}
function askForCount() {
  window.htmx.ajax("POST", ask.dataset.tokensUrl, { source: "#counter", target: "#token-count", swap: "innerHTML" })
}
const asTyped = document.getElementById("count-as-typed")
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt.id !== "poster" || detail.xhr.status !== 200) return
  if (asTyped?.checked) return askForCount()
  const counted = tokenCount.querySelector("[data-request]")?.dataset.request
  if (counted && counted !== state().request) tokenCount.replaceChildren()
})
for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failed, ({ detail }) => {
    if (detail.elt.id === "counter") tokenCount.textContent = "Could not count the tokens. Try again."
  })
}

// --- Snippets -------------------------------------------------------------------------------------------------------

const snippets = document.getElementById("snippets")
function chooseLanguage(id) {
  document.cookie = `language=${id};path=${document.documentElement.dataset.root};max-age=31536000;samesite=lax`
  post(ask.dataset.edit, { ":language": id })
}
snippets.addEventListener("click", ({ target }) => {
  const tab = target.closest("[data-language][role=tab]")
  if (tab) chooseLanguage(tab.dataset.language)
})
snippets.addEventListener("change", ({ target }) => {
  if (target.matches("[data-language-choice]")) chooseLanguage(target.value)
})

async function copy(text, button) {
  await navigator.clipboard.writeText(text)
  announce("Copied.")
  button.dataset.done = ""
  setTimeout(() => button.removeAttribute("data-done"), 1500)
}
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copies-from]")
  if (!button) return
  keep()
  const response = await fetch(button.dataset.copiesFrom, { headers: pageHeaders() })
  copy(await response.text(), button)
})

// --- Run bar --------------------------------------------------------------------------------------------------------

run.addEventListener("input", ({ target }) => {
  if (target.matches("[data-control]")) touch(target)
})
// The same press, sent twice by a double click or a resend, is one run. A request may wait in the queue: the event knows its press.
const DOUBLE_CLICK_MS = 500
const presses = new WeakMap()
let press = { id: "", at: -Infinity }
run.addEventListener(
  "submit",
  (event) => {
    const isSame = event.timeStamp - press.at < DOUBLE_CLICK_MS
    press = { id: isSame ? press.id : `${event.timeStamp}-${Math.random()}`, at: event.timeStamp }
    presses.set(event, press.id)
  },
  { capture: true },
)
// Whoever did something else in between means it.
document.addEventListener("pointerdown", ({ target }) => (press.at = run.contains(target) ? press.at : -Infinity), { capture: true })
run.addEventListener("htmx:configRequest", ({ detail }) => {
  detail.formData.set(":idempotency-key", presses.get(detail.triggeringEvent) ?? "")
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.target.closest?.("dialog")) {
    event.preventDefault()
    run.requestSubmit()
  }
})
