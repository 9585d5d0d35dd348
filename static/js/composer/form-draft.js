// What was typed and is not on the server yet, and every request that carries it there.
//
// A control's name is its place in the body. Only controls that were touched are sent, with the version of the draft
// that this page was drawn from; one request at a time, the others wait (`hx-sync` on #poster).

import { pageHeaders } from "../lib/fragment.js"
import { atPressEnd } from "../lib/press.js"

const PAUSE_MS = 450
const RETRY_MS = 4000
const dirty = new Map()
const flying = new Map() // request → the entries it carries
let timer = 0

const ask = () => document.getElementById("ask")
export const state = () => document.getElementById("draft-state").dataset

/** The text of a control as the server reads it. An unticked switch leaves its member out, unless it was an explicit false. */
function textOf(control) {
  if (control.type === "checkbox") return control.checked ? "true" : (control.dataset.off ?? "")
  return control.value
}

function textBefore(control) {
  if (control.dataset.kept !== undefined) return control.dataset.kept
  if (control.type === "checkbox") return control.defaultChecked ? "true" : (control.dataset.off ?? "")
  if (control.options) return ([...control.options].find((option) => option.defaultSelected) ?? control.options[0])?.value ?? ""
  return control.defaultValue
}

/** What the server last knew of every control: by it can be told whether their places still mean the same. */
export function textsBefore() {
  const controls = document.querySelectorAll("#ask [data-control]")
  return Object.fromEntries([...controls].map((control) => [control.name, textBefore(control)]))
}

/** An empty field sends nothing, unless an empty string was sent on purpose and is not changed. A switch that is turned on
 * forgets that its other state was an explicit false. */
function showWhetherSent(control) {
  if (control.placeholder === "empty string") control.dataset.sendsEmpty = ""
  const sendsEmpty = "sendsEmpty" in control.dataset && control.value === "" && textBefore(control) === ""
  if ("sendsEmpty" in control.dataset) control.placeholder = sendsEmpty ? "empty string" : "not sent"
  if (control.type === "checkbox" && control.checked && control.dataset.off) {
    delete control.dataset.off
    control.nextElementSibling?.remove()
  }
  control.closest("[data-place]")?.toggleAttribute("data-set", textOf(control) !== "" || sendsEmpty)
}

export function touch(control) {
  dirty.set(control.name, textOf(control))
  showWhetherSent(control)
  clearTimeout(timer)
  timer = setTimeout(keep, PAUSE_MS)
  mark()
}

/** Send what is waiting, if anything is; returns when it is there. */
export function keep() {
  clearTimeout(timer)
  const isOnlyCarried = dirty.size === 1 && dirty.has(":json") && document.getElementById("prefilled")
  return dirty.size && !isOnlyCarried ? post(ask().dataset.edit) : undefined
}

const hasUnsent = () => dirty.size > 0 || flying.size > 0
/** On <html>, for whoever waits: something is typed or pressed that the server has not answered yet. */
const mark = () => document.documentElement.toggleAttribute("data-unsent", hasUnsent())

/** A body that a link brought goes along with the first change, and not before: looking at a link stores nothing. */
export function carryPrefilled() {
  const text = document.getElementById("prefilled")?.value
  if (text) dirty.set(":json", text)
}

export function forget() {
  dirty.clear()
  mark()
}

/** Post to the server in turn; what the answer holds replaces parts of the page out of band. What a press causes before it
 * ends, by leaving a field, is posted at its end: the answer could replace the button under it. */
export function post(url, values = {}, { target = "#poster", swap = "none" } = {}) {
  clearTimeout(timer)
  return atPressEnd(() => window.htmx.ajax("POST", url, { source: "#poster", target, swap, values }))
}

/** One press of a button of the form. */
export function change(op, path, values = {}) {
  return post(ask().dataset.change, { ":op": op, ":path": path, ...values })
}

/** Names of what is open beyond the usual, "-" before what was folded: so that a part drawn again looks the same. */
function openParts() {
  const open = [...document.querySelectorAll("#ask details[data-fold][open]")].map((part) => part.dataset.fold)
  for (const turn of document.querySelectorAll("#ask .turn")) {
    open.push(turn.classList.contains("turn-folded") ? `-${turn.dataset.place}` : turn.dataset.place)
  }
  return open
}

function isOurs(source) {
  return source instanceof Element && source.closest("#poster, #run, #import, #save, #tool-paste") !== null
}
/** The counter reads what was typed too, and stores nothing. */
const readsTyped = (source) => isOurs(source) || source?.id === "counter"

document.addEventListener("htmx:configRequest", (event) => {
  Object.assign(event.detail.headers, pageHeaders())
  if (!readsTyped(event.detail.elt)) return
  const form = event.detail.formData
  const { version, mode } = state()
  form.set(":version", version)
  form.set(":mode", form.get(":mode") ?? mode)
  const variables = document.getElementById("form-variables")
  if (variables) form.set(":variables", variables.dataset.names)
  for (const part of openParts()) form.append(":open", part)
  for (const [name, text] of dirty) form.set(name, text)
})

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (isOurs(detail.elt)) flying.set(detail.xhr, new Map(dirty))
  mark()
})

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // The event's own element is what would be replaced: the form, the answer.
  if (!isOurs(detail.requestConfig?.elt) || ![409, 413].includes(detail.xhr.status)) return
  // The banner of a conflict is swapped in like any answer; the fields stay.
  detail.shouldSwap = true
  detail.isError = false
  detail.swapOverride = "none"
})

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const sent = flying.get(detail.xhr)
  if (!sent) return
  flying.delete(detail.xhr)
  queueMicrotask(mark)
  document.documentElement.toggleAttribute("data-offline", detail.xhr.status === 0)
  const note = document.getElementById("saved-note")
  if (note && detail.xhr.status === 0) note.textContent = "Offline. What you type is kept in this tab until the server answers."
  if (note && detail.xhr.status >= 500 && dirty.size) note.textContent = "Not saved. Trying again."
  if (detail.xhr.status === 0 || detail.xhr.status >= 500) retry()
  if (detail.xhr.status === 404 && document.documentElement.dataset.conversation) {
    document.getElementById("conflict").replaceChildren(document.getElementById("gone-banner").content.cloneNode(true))
  }
  if (detail.xhr.status !== 200) return
  // What could not be read stays dirty: the body still has the old value, the field the new text.
  const unread = new Set((state().unread ?? "").split("\n"))
  for (const [name, text] of sent) {
    if (unread.has(name)) continue
    const control = document.querySelector(`[data-control][name="${CSS.escape(name)}"]`)
    if (control) control.dataset.kept = text
    if (control && text !== "") delete control.dataset.sendsEmpty
    if (dirty.get(name) === text) dirty.delete(name)
  }
})

function retry() {
  clearTimeout(timer)
  timer = setTimeout(keep, RETRY_MS)
}
// The request was sent, but what was typed could not be stored.
document.addEventListener("draft:unkept", retry)
window.addEventListener("online", keep)

// What is typed while an answer is under way would be lost with the field that the answer replaces.
document.addEventListener("htmx:afterSettle", restoreTyped)
document.addEventListener("htmx:oobAfterSwap", restoreTyped)
function restoreTyped() {
  for (const [name, text] of dirty) {
    const control = document.querySelector(`[data-control][name="${CSS.escape(name)}"]`)
    if (control && control.type !== "checkbox" && control.value !== text) control.value = text
  }
}

window.addEventListener("beforeunload", () => {
  if (!dirty.size || (dirty.size === 1 && document.getElementById("prefilled"))) return
  // The page goes: send what is left without waiting for an answer.
  const form = new URLSearchParams({ ":version": state().version, ":mode": state().mode, ...Object.fromEntries(dirty) })
  const headers = { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"], ...pageHeaders() }
  fetch(ask().dataset.edit, { method: "POST", body: form, headers, keepalive: true }).catch(() => {}) // too large to be sent while leaving: the last half second is lost
})
