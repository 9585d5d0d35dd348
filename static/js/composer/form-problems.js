// Put each problem of the body at its field. The server lists them all; here they find their places.

import { afterPress } from "../lib/press.js"

const LAST_STEP = /(?:\.?[A-Za-z_][\w-]*|\[(?:\d+|"(?:[^"\\]|\\.)*")\])$/

// A problem is told when its reader has left the field that was changed, or sends: not while it is being typed, and not
// because something was put in that cannot be whole yet.
let told = null // paths of the problems that are told; null: all that there are
const begun = new Set() // places that were put in and have not been left yet
const left = new Set() // names of fields that were left as they are: the server may not have answered yet
let isAdding = false
let changes = 0 // of fields, since the page came
let changesTold = 0 // so many of them had been made when a field was left last

const PUTS_IN = ["add", "add-block", "add-turn", "attach", "entry", "insert", "insert-before", "kind", "variant"]

/** The next change puts something in. */
export const expect = (op) => (isAdding = PUTS_IN.includes(op))
/** A change led to this place: if it put something in, that is where. */
export function welcome(place) {
  if (isAdding && place) {
    const begins = /^messages\[\d+\]/.exec(place)?.[0] ?? place
    begun.add(begins)
    for (const name of left) if (name.startsWith(begins)) left.delete(name)
  }
  isAdding = false
}

/** The page came with something that was just put in. */
export function comeWith(place) {
  begun.add(place)
  tell()
}

const items = () => [...document.querySelectorAll("#problem-list > li")]
/** The name of the field that an element belongs to: a JSON editor's own textarea has none. */
const nameOf = (element) => element.name || (element.closest("json-editor")?.querySelector("textarea[name]")?.name ?? "")
const isBegun = (path) => [...begun].some((place) => path.startsWith(place))
const isLeft = (path) => [...left].some((name) => path.startsWith(name)) && !isBegun(path)
const isTold = (path) => told === null || told.has(path) || isLeft(path)

/** Tell what is wrong now, but for what was only just put in; `within` is the field that was left. */
function tell(within = "") {
  const paths = items().map(({ dataset }) => dataset.path)
  told = new Set(paths.filter((path) => !isBegun(path) || (within && path.startsWith(within))))
  placeProblems()
}

function tellAll() {
  begun.clear()
  told = null
  placeProblems()
}

/** A new request is begun at this place: nothing of it is told before that place was left. */
export function beginAt(place) {
  begun.clear()
  left.clear()
  begun.add(place)
  told = new Set()
  placeProblems()
}

/** Before a change: what is told already stays told, what comes new waits. */
export function holdBack() {
  told ??= new Set(items().map(({ dataset }) => dataset.path))
}

document.addEventListener("input", ({ target }) => {
  if (!target.closest?.("#ask")) return
  holdBack()
  changes += 1
  left.delete(target.name)
})
// After what follows from leaving: a field that is drawn again takes the focus away and gets it back.
document.addEventListener("focusout", ({ target }) => {
  if (!target.isConnected || !target.closest?.("#ask")) return
  const before = changes // the next field may be changed at once
  setTimeout(() => {
    const at = document.activeElement
    if (at === document.body || at === target) return
    let hasFinished = false
    for (const place of begun) {
      const part = document.querySelector(`#ask [data-place="${CSS.escape(place)}"]`)
      if (part?.contains(target) && !part.contains(at)) hasFinished = begun.delete(place)
    }
    const name = nameOf(target)
    const isTouched = before > changesTold
    if (isTouched && name) left.add(name)
    if (isTouched || hasFinished) afterPress(() => tell(name))
    changesTold = Math.max(changesTold, before)
  })
})
document.addEventListener("submit", ({ target }) => target.id === "run" && tellAll(), true)

function slotFor(path) {
  for (let at = path; ; at = at.replace(LAST_STEP, "")) {
    const slot = document.querySelector(`#ask [data-problems="${CSS.escape(at)}"]`)
    if (slot || at === "") return slot
  }
}

function clear() {
  for (const slot of document.querySelectorAll("#ask .problems")) slot.replaceChildren()
  for (const field of document.querySelectorAll("#ask [aria-invalid]")) {
    field.removeAttribute("aria-invalid")
    field.removeAttribute("aria-describedby")
  }
  for (const part of document.querySelectorAll("#ask [data-invalid]")) part.removeAttribute("data-invalid")
}

export function placeProblems() {
  clear()
  const everything = document.querySelector("#ask [data-all-problems]")
  everything?.replaceChildren()
  const annotations = []
  let number = 0
  for (const item of document.querySelectorAll("#problem-list > li")) {
    const { path, severity, line } = item.dataset
    const slot = everything ?? slotFor(path)
    if (!slot || (!everything && !isTold(path))) continue
    const shown = document.createElement("div")
    shown.className = "problem"
    shown.id = `problem-${(number += 1)}`
    Object.assign(shown.dataset, item.dataset)
    shown.append(...[...item.childNodes].map((node) => node.cloneNode(true)))
    slot.append(shown)
    if (line) annotations.push({ row: line - 1, column: 0, text: shown.querySelector("span").textContent, type: severity })
    if (severity === "error") markInvalid(slot, path, shown.id)
  }
  countTold(everything !== null)
  document.querySelector("json-editor[data-tall]")?.annotate?.(annotations)
  for (const editor of document.querySelectorAll("#ask json-editor:not([data-tall])")) markLines(editor)
}

/** The tags above the form count what is told, and not what waits. */
function countTold(isWhole) {
  for (const tag of document.querySelectorAll("#problem-tags [data-next-problem]")) {
    const { nextProblem: severity } = tag.dataset
    const count = items().filter(({ dataset }) => dataset.severity === severity && (isWhole || isTold(dataset.path))).length
    tag.hidden = count === 0
    tag.textContent = `${count} ${severity === "error" ? "problem" : "warning"}${count === 1 ? "" : "s"}`
  }
}

/** A schema's own editor: text that is no JSON says its line in the message. */
function markLines(editor) {
  const name = editor.querySelector("textarea").name
  const marks = []
  for (const { dataset, textContent } of document.querySelectorAll("#problem-list > li")) {
    const line = dataset.path === name ? /line (\d+)/.exec(textContent)?.[1] : null
    if (line) marks.push({ row: line - 1, column: 0, text: textContent.trim(), type: dataset.severity })
  }
  editor.annotate?.(marks)
}

function markInvalid(slot, path, id) {
  const field = document.querySelector(`#ask [data-control][name="${CSS.escape(path)}"]`)
  if (field) {
    field.setAttribute("aria-invalid", "true")
    field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), id].filter(Boolean).join(" "))
  }
  slot.closest(".param")?.setAttribute("data-invalid", "")
  for (let fold = slot.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.dataset.invalid = ""
}

/** The ticks in the margin: which parameters are in the body. */
export function placeTicks({ set = "" }) {
  const names = new Set(set.split("\n"))
  for (const param of document.querySelectorAll("#ask [data-param]")) param.toggleAttribute("data-set", names.has(param.dataset.param))
}

// From one problem to the next, and round again.
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-next-problem]")
  if (!button) return
  tellAll()
  const shown = [...document.querySelectorAll(`#ask .problem[id][data-severity="${button.dataset.nextProblem}"]`)]
  if (!shown.length) return
  const next = shown[(Number(button.dataset.at ?? -1) + 1) % shown.length]
  button.dataset.at = String(shown.indexOf(next))
  for (let fold = next.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true
  next.tabIndex = -1
  next.focus()
  next.scrollIntoView({ block: "center" })
})
