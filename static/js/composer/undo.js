// Undo: a toast after whatever replaced or removed something, and Ctrl+Z (Cmd+Z) for operations of the form.

import { post, state } from "./form-draft.js"

const SHOWN_MS = 10_000
const isMac = navigator.platform.startsWith("Mac")
const ask = () => document.getElementById("ask")
let timer = 0

// --- The toast: stays until it is closed, or ten seconds after the last pointer or focus on it ------------------------

function toastElement() {
  const found = document.getElementById("toast")
  if (found) return found
  const toast = document.createElement("div")
  toast.id = "toast"
  toast.className = "toast"
  toast.setAttribute("role", "status")
  toast.hidden = true
  for (const type of ["pointerenter", "focusin"]) toast.addEventListener(type, () => clearTimeout(timer))
  for (const type of ["pointerleave", "focusout"]) toast.addEventListener(type, hideLater)
  document.body.append(toast)
  return toast
}

function hideLater() {
  clearTimeout(timer)
  timer = setTimeout(hide, SHOWN_MS)
}

function hide() {
  clearTimeout(timer)
  toastElement().hidden = true
}

function button(words, press, keys = "") {
  const made = document.createElement("button")
  made.type = "button"
  made.className = "button button-small"
  made.append(words)
  if (keys) {
    const key = document.createElement("kbd")
    key.textContent = keys
    made.append(key)
  }
  made.addEventListener("click", press)
  return made
}

export function showToast({ words, undo = false, redo = false }) {
  const toast = toastElement()
  const said = document.createElement("p")
  said.textContent = words
  toast.replaceChildren(said)
  if (undo) toast.append(button("Undo", () => step(false), isMac ? "⌘Z" : "Ctrl Z"))
  if (redo) toast.append(button("Redo", () => step(true), isMac ? "⇧⌘Z" : "Ctrl ⇧ Z"))
  const close = button("✕", hide)
  close.className = "button button-small button-quiet button-icon"
  close.ariaLabel = "Dismiss"
  toast.append(close)
  toast.hidden = false
  hideLater()
}

// What a run says must not lie behind what was said of its request, nor share the room with it. Ctrl+Z still undoes.
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (target.id !== "run") return
  hide()
  for (const banner of document.querySelectorAll("#banners .banner:not([data-tone=bad], [data-tone=warn])")) banner.remove()
})
document.addEventListener("page:toast", ({ detail }) => showToast(detail))
document.addEventListener("page:said", ({ detail }) => showToast({ words: detail.value }))

// A page that was loaded anew says what was done before.
const left = /(?:^|; )toast=([^;]+)/.exec(document.cookie)?.[1]
if (left) {
  document.cookie = "toast=;path=/;max-age=0"
  try {
    showToast(JSON.parse(decodeURIComponent(left.replace(/^"|"$/g, ""))))
  } catch {
    // not ours
  }
}

// --- Steps ----------------------------------------------------------------------------------------------------------

function step(isRedo) {
  if (!ask()) return
  hide()
  const values = { ":mode": state().mode, ...(isRedo ? { ":redo": "1" } : {}) }
  post(ask().dataset.undoUrl, values, { target: "#ask", swap: "innerHTML" })
}

// In a field that was typed into, the keys are the browser's own. After an operation they are the form's.
let typedInto = null
document.addEventListener("input", ({ target }) => (typedInto = target.matches("textarea, input") ? target : null))
document.addEventListener("focusout", () => (typedInto = null))
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.pathInfo?.requestPath === ask()?.dataset.change) typedInto = null
})

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase()
  const isUndo = key === "z" && !event.shiftKey
  const isRedo = (key === "z" && event.shiftKey) || (key === "y" && !isMac)
  if (!(isMac ? event.metaKey : event.ctrlKey) || event.altKey || !(isUndo || isRedo)) return
  const { target } = event
  if (target.closest("dialog, .ace_editor") || (typedInto && typedInto === target)) return
  if (target.matches("textarea, input:not([type=checkbox], [type=radio], [type=range])") && !target.closest("#ask")) return
  event.preventDefault()
  step(isRedo)
})
