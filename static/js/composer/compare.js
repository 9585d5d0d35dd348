// The compare bench: what is typed in a column's head, which of its fields follow the form, and its figures.

import { change, touch } from "./form-draft.js"
import { fetchPart, toFragment } from "./fragment.js"

const answer = document.getElementById("answer")
const bench = () => document.getElementById("compare")
let wanted = "" // where the focus goes when a press has been answered

// --- Fields that follow the form, or not ----------------------------------------------------------------------------

/** The row as its note says: the note is drawn again after every change, the control only while it follows the form. */
function showState(row) {
  const { own, wrong } = row.querySelector(".column-note").dataset
  const isOwn = own !== undefined
  row.toggleAttribute("data-own", isOwn)
  const link = row.querySelector(".column-link")
  link.setAttribute("aria-pressed", String(!isOwn))
  if (link.dataset.kind) link.dataset.op = isOwn ? "column-link" : "column-unlink"
  else link.disabled = !isOwn // another connection is chosen, not unlinked
  const control = row.querySelector("[data-control]")
  if (wrong === undefined) control.removeAttribute("aria-invalid")
  else control.setAttribute("aria-invalid", "true")
}

function showStates() {
  for (const row of answer.querySelectorAll("[data-row]")) showState(row)
}

answer.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-control]")) return
  touch(target)
  target.closest("[data-row]").querySelector(".column-note").dataset.own = ""
  showState(target.closest("[data-row]"))
})

answer.addEventListener("change", ({ target }) => {
  const { columnChoice } = target.dataset
  if (!columnChoice || !target.value) return
  wanted = `[name="${CSS.escape(`:own ${columnChoice} ${target.value}`)}"]`
  change("column-unlink", columnChoice, { ":kind": target.value })
})

answer.addEventListener("click", ({ target }) => {
  const fill = target.closest("[data-fills]")
  if (!fill) return
  const control = document.getElementById(fill.dataset.for)
  control.value = fill.dataset.fills
  control.dispatchEvent(new Event("input", { bubbles: true }))
  control.focus()
})

// --- Requests -------------------------------------------------------------------------------------------------------

// Before the press is sent: which answer the first column begins with, and where the focus goes.
document.addEventListener(
  "click",
  ({ target }) => {
    const button = target.closest?.('[data-op^="column-"]')
    if (!button) return
    wanted = button.dataset.then ?? ""
    if (button.id !== "compare-start") return
    button.dataset.kind = answer.querySelector(".answer-panel")?.dataset.run ?? ""
    // Where one column fills the view, the first one is to be seen first.
    if (matchMedia("(width < 40rem)").matches) wanted = "#column-a .column-field"
  },
  true,
)

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const shown = [...answer.querySelectorAll("#compare [data-column]")].map((column) => column.dataset.column)
  if (detail.elt.closest?.("#poster, #run, #import")) detail.formData.set(":columns", shown.join(" "))
})

const isPress = ({ requestConfig }) => String(requestConfig?.formData?.get(":op") ?? "").startsWith("column-")

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // Who has gone elsewhere since the press stays there.
  const at = document.activeElement
  if (isPress(detail) && at !== document.body && !at?.matches('[data-op^="column-"], [data-column-choice]')) wanted = ""
})

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  showStates()
  showFolds()
  answer.closest(".bench").toggleAttribute("data-comparing", answer.querySelector(".compare") !== null)
  if (isPress(detail)) {
    firstOf(wanted)?.focus()
    wanted = ""
  }
  if (detail.elt.id === "run" && bench()) showWhatCame()
})

function showWhatCame() {
  const isHeldBack = bench().querySelector("#compare-said .problem") !== null
  if (isHeldBack) bench().querySelector("[aria-invalid]")?.focus()
  else if (matchMedia("(width >= 64rem)").matches) bench().querySelector(".column-answer [data-socket]")?.scrollIntoView({ block: "nearest" })
}

/** The first of several selectors, in their order, that names something that can take the focus. */
function firstOf(selectors) {
  for (const selector of selectors.split(", ")) {
    const found = selector && document.querySelector(selector)
    if (found && !found.disabled && found.checkVisibility()) return found
  }
  return null
}

// --- Figures --------------------------------------------------------------------------------------------------------

let figuresTimer = 0
document.addEventListener("run:ended", () => {
  clearTimeout(figuresTimer)
  figuresTimer = setTimeout(showFigures, 150) // several columns often end together
})

async function showFigures() {
  const box = document.getElementById("compare-figures")
  if (!box) return
  const html = await fetchPart(box.dataset.figures).catch(() => "")
  if (html) box.replaceChildren(toFragment(html))
}

// --- The settings folded away: more room for the answers ------------------------------------------------------------

const FOLDED = "compare-folded"
function showFolds() {
  const isFolded = sessionStorage.getItem(FOLDED) !== null
  bench()?.toggleAttribute("data-folded", isFolded)
  bench()?.querySelector("[data-folds-heads]").setAttribute("aria-expanded", String(!isFolded))
}
answer.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-folds-heads]")) return
  if (sessionStorage.getItem(FOLDED) === null) sessionStorage.setItem(FOLDED, "1")
  else sessionStorage.removeItem(FOLDED)
  showFolds()
})

showStates()
showFolds()
