// Keep the focus where the reader is when a part of the form is drawn again.

const FIELD = "textarea, input:not([type=hidden], [type=file], [type=range]), select"
let remembered = null
let wanted = null // { path, op }: where a change leads
let wasInside = false

export const goTo = (path, op) => (wanted = { path, op })
/** The server knows better where the change led. */
export const goOnTo = (path) => (wanted = { path, op: wanted?.op ?? "" })

const quoted = (text) => `"${CSS.escape(text)}"`

export function rememberFocus() {
  const field = document.activeElement
  wasInside ||= Boolean(field?.closest("#ask, dialog"))
  if (!field?.id || !field.closest("#ask, #compare")) return
  const hasText = field.matches("textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file])")
  remembered = { id: field.id, range: hasText ? [field.selectionStart, field.selectionEnd] : null }
}

export function restoreFocus() {
  goBack()
  // What had the focus is gone: whoever uses the keyboard goes on from here, and not from the top of the page.
  const ask = document.getElementById("ask")
  if (wasInside && isNowhere()) ask.focus({ preventScroll: true })
  wasInside = false
}

/** A button of a dialog that has just closed keeps the focus until the page is drawn again. */
const isNowhere = () => {
  const at = document.activeElement
  return !at || at === document.body || at.checkVisibility?.() === false
}

function goBack() {
  const isLost = isNowhere()
  if (wanted) {
    const { path, op } = wanted
    wanted = null
    if (isLost && focusPlace(path, op)) return
  }
  if (!isLost || !remembered) return
  const field = document.getElementById(remembered.id)
  if (!field) return
  field.focus({ preventScroll: true })
  if (remembered.range) field.setSelectionRange(...remembered.range)
}

/** Focus the field of this place, or the nearest there is. */
export function focusPlace(path, op = "") {
  if (["variant", "unset", "kind", "ttl"].includes(op)) {
    const choice = document.querySelector(`#ask :is(select, :checked)[data-op-choice][data-path=${quoted(path)}]`)
    if (choice) return focusOn(choice)
  }
  const place = document.querySelector(`#ask [data-place=${quoted(path)}]`)
  if (!place) return false
  for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true
  if (["up", "down", "move", "remove"].includes(op)) {
    if (place.matches("details")) return focusOn(place.querySelector("summary"))
    if (place.matches("[tabindex]")) return focusOn(place)
  }
  if (op === "schema-name" || op === "schema-add") return focusOn(place.querySelector("[data-op-choice=schema-name]") ?? place)
  if (["schema-required", "schema-type"].includes(op)) {
    const pressed = place.querySelector(`:is([data-op=${op}], [data-op-choice=${op}])[data-path=${quoted(path)}]`)
    if (pressed) return focusOn(pressed)
  }
  const named = place.querySelector(`[data-control][name=${quoted(path)}]`)
  const first = [...place.querySelectorAll(FIELD)].find((field) => field.checkVisibility?.() ?? true)
  return focusOn(named ?? first ?? place.querySelector(".control :is(button, summary)") ?? place)
}

function focusOn(element) {
  element.focus({ preventScroll: true })
  element.scrollIntoView({ block: "nearest" })
  return document.activeElement === element
}
