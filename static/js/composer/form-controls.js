// The form's own controls: buttons that change the body, chips, sliders, numbers, moving by keys and by dragging.

import { change, post, touch } from "./form-draft.js"
import { goTo } from "./form-focus.js"
import { expect, holdBack } from "./form-problems.js"

const ask = document.getElementById("ask")

ask.addEventListener("input", ({ target }) => {
  if (target.matches("[data-slides]")) {
    const field = document.getElementById(target.dataset.slides)
    field.value = target.value
    return touch(field)
  }
  if (!target.matches("[data-control]")) return
  const slider = document.querySelector(`[data-slides="${CSS.escape(target.id)}"]`)
  if (slider) slider.value = target.value
  touch(target)
})

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-op]")
  if (!button) return
  event.preventDefault()
  press(button.dataset.op, button.dataset.path, { ":kind": button.dataset.kind ?? "" })
})

function press(op, path, values = {}) {
  goTo(path, op)
  holdBack()
  expect(op)
  const done = change(op, path, values)
  if (op === "run-from") done.then(() => document.getElementById("run").requestSubmit())
}

ask.addEventListener("change", ({ target }) => {
  if (target.matches("[data-op-choice]")) press(target.dataset.opChoice, target.dataset.path, { ":kind": target.value })
})

// --- Chips: Enter adds, Backspace in an empty field takes the last one away ----------------------------------------

function addFrom(field) {
  const text = field.value
  if (!text.trim()) return
  field.value = ""
  if (field.matches("[data-beta-field]")) return change("beta-add", "", { ":kind": text })
  if (field.matches("[data-value-for]")) return press("schema-value", field.dataset.valueFor, { ":kind": text })
  if (field.matches("[data-entry-for]")) return press("entry", field.dataset.entryFor, { ":kind": text })
  change("insert", field.dataset.chipFor, { ":kind": text })
}

const CHIP_FIELD = "[data-chip-for], [data-value-for], [data-entry-for], [data-beta-field]"
ask.addEventListener("keydown", (event) => {
  const field = event.target
  if (field.matches(CHIP_FIELD)) {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      addFrom(field)
    }
    if (event.key === "Backspace" && !field.value) field.closest(".chips").querySelector(".chip:last-of-type button")?.click()
  } else if (event.key === "Enter" && field.matches("input") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault() // a form of one field would be submitted
    if (field.matches("[data-op-choice]")) field.dispatchEvent(new Event("change", { bubbles: true }))
  }
})
ask.addEventListener("focusout", ({ target }) => {
  if (target.matches("[data-chip-for], [data-value-for], [data-beta-field]")) addFrom(target)
})
ask.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-header-add]")) return
  const field = ask.querySelector("[data-header-field]")
  if (field.value.trim()) change("header-add", "", { ":kind": field.value })
  else field.focus()
})

// --- Numbers: the arrow keys count ----------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key]
  if (!by || event.altKey || !event.target.matches?.("[data-number]")) return
  const field = event.target
  const step = Number(field.dataset.step ?? 1) * (event.shiftKey ? 10 : 1)
  const number = Number(field.value || 0) + by * step
  if (!Number.isFinite(number)) return
  event.preventDefault()
  field.value = String(Number(number.toFixed(6)))
  field.dispatchEvent(new Event("input", { bubbles: true }))
})

// --- Moving: Alt with the arrows, or the grip ------------------------------------------------------------------------

ask.addEventListener("keydown", (event) => {
  const op = { ArrowUp: "up", ArrowDown: "down" }[event.key]
  const item = event.target.closest("[data-item]")
  if (!op || !event.altKey || !item) return
  event.preventDefault()
  press(op, item.dataset.place)
})

let dragged = null
ask.addEventListener("pointerdown", ({ target }) => {
  const item = target.closest("[data-grip]")?.closest("[data-item]")
  if (item) item.draggable = true
})
ask.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-item][draggable]")
  if (!dragged) return
  event.dataTransfer.effectAllowed = "move"
  event.dataTransfer.setData("text/plain", dragged.dataset.place)
})
function itemUnder(target) {
  const item = target.closest?.("[data-item]")
  const list = dragged?.parentElement
  return item && dragged && item !== dragged && item.parentElement === list ? item : null
}
ask.addEventListener("dragover", (event) => {
  const item = itemUnder(event.target)
  if (!item) return
  event.preventDefault()
  for (const other of ask.querySelectorAll("[data-over]")) other.removeAttribute("data-over")
  item.dataset.over = ""
})
ask.addEventListener("drop", (event) => {
  const item = itemUnder(event.target)
  if (!item) return
  event.preventDefault()
  const to = /\[(\d+)\]$/.exec(item.dataset.place)?.[1]
  goTo(item.dataset.place, "move")
  change("move", dragged.dataset.place, { ":to": to })
})
ask.addEventListener("dragend", () => {
  dragged?.removeAttribute("draggable")
  for (const other of ask.querySelectorAll("[data-over]")) other.removeAttribute("data-over")
  dragged = null
})

// --- Folded turns ---------------------------------------------------------------------------------------------------

ask.addEventListener("click", (event) => {
  const button = event.target.closest("[data-part]")
  if (!button) return
  const { part, first = "", last = "" } = button.dataset
  const turn = button.closest(".turn, .turn-gap")
  const values = first ? { ":first": first, ":last": last } : { ":path": part }
  if (button.matches("[data-fold-turn]")) values[":fold"] = "1"
  goTo(part, "open")
  post(ask.dataset.partUrl, values, { target: `#${turn.id}`, swap: "outerHTML" })
})
