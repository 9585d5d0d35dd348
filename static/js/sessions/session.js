// One session: choosing a step by press, key or address; its detail is fetched; new steps arrive by themselves.

import { LiveSocket } from "../lib/live-socket.js"
import { toFragment } from "../lib/fragment.js"
import { afterPress } from "../lib/press.js"

const page = document.querySelector("[data-session]")
const holder = page.querySelector("[data-step-holder]")
const aside = page.querySelector("[data-step-detail]")
const words = page.querySelector("[data-at-words]")
let chosen = 0
let count = Number(page.dataset.count)

function stepInAddress() {
  const found = /^#step-(\d+)$/.exec(location.hash)
  return found ? Math.min(count, Math.max(1, Number(found[1]))) : 0
}

/** Shows a step, marks it everywhere and puts it into the address. */
function choose(number, { scroll = false, history = "replace" } = {}) {
  if (!number || number === chosen) return
  chosen = number
  for (const marked of page.querySelectorAll("[data-chosen]")) delete marked.dataset.chosen
  markChosen()
  words.textContent = `Step ${number} of ${count}`
  if (history === "push") window.history.pushState(null, "", `#step-${number}`)
  else if (history === "replace") window.history.replaceState(null, "", `#step-${number}`)
  const address = page.dataset.stepAddress.replace(/0\/$/, `${number}/`)
  window.htmx.ajax("GET", address, { target: holder, swap: "innerHTML" })
  if (scroll) showRow(number)
}

/** Marks the chosen step wherever it stands; neighbours may share a mark. */
function markChosen() {
  for (const mark of page.querySelectorAll(`[data-step="${chosen}"]`)) mark.dataset.chosen = ""
  for (const mark of page.querySelectorAll("a[data-last]")) {
    if (Number(mark.dataset.step) <= chosen && chosen <= Number(mark.dataset.last)) mark.dataset.chosen = ""
  }
}

/** Scrolls to a step's row; rows that are not there yet are fetched, a window of them around it. */
async function showRow(number) {
  if (!page.querySelector(`#row-${number}`)) {
    const address = `${page.dataset.stepsAddress}?around=${number}`
    await window.htmx.ajax("GET", address, { source: "#step-rows", target: "#step-rows", swap: "innerHTML" })
  }
  page.querySelector(`#row-${number}`)?.scrollIntoView({ block: "nearest" })
}

function openSheet(isOpen) {
  aside.toggleAttribute("data-open", isOpen)
  aside.querySelector("[data-sheet]").setAttribute("aria-expanded", String(isOpen))
}

page.addEventListener("click", (event) => {
  const by = event.target.closest("[data-by]")
  if (by) return choose(Math.min(count, Math.max(1, chosen + Number(by.dataset.by))), { scroll: true })
  if (event.target.closest("[data-sheet]")) return openSheet(!aside.hasAttribute("data-open"))
  const mark = event.target.closest("[data-step]")
  if (!mark || event.ctrlKey || event.metaKey) return undefined
  if (event.target.closest("a, tr[data-step]")) {
    event.preventDefault()
    choose(Number(mark.dataset.step), { history: "push" })
    openSheet(true)
  }
  return undefined
})

page.addEventListener("change", ({ target }) => {
  if (target.name !== "agent") return
  for (const part of page.querySelectorAll("[data-for-agent]")) part.hidden = part.dataset.forAgent !== target.value
})

page.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm
  if (question && !window.confirm(question)) event.preventDefault()
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return openSheet(false)
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]")
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return undefined
  if (event.key === "j") choose(Math.min(count, chosen + 1), { scroll: true })
  else if (event.key === "k") choose(Math.max(1, chosen - 1), { scroll: true })
  else if (event.key === "m") nextMiss()
  else if (event.key === "/") {
    event.preventDefault()
    page.querySelector("[data-find]").focus()
  }
  return undefined
})

function nextMiss() {
  const steps = [...page.querySelectorAll(".misses:not(.heaviest) a[data-step]")].map((link) => Number(link.dataset.step))
  choose(steps.find((number) => number > chosen) ?? steps[0], { scroll: true })
}

// Rows that come later know nothing of what is chosen.
document.addEventListener("htmx:afterSwap", markChosen)

// Running a step again makes a new run, which has a page of its own.
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (!target.matches?.("[data-run-again]") || !detail.successful) return
  const run = toFragment(detail.xhr.responseText).querySelector("[data-run]")?.dataset.run
  if (run) location.assign(`${document.documentElement.dataset.root}requests/${encodeURIComponent(run)}/`)
})

window.addEventListener("popstate", () => choose(stepInAddress(), { history: "none", scroll: true }))

/** A session that goes on is drawn again when one of the owner's requests has ended; the view stays where it is. */
function followLog() {
  let timer = 0
  const refreshSoon = () => {
    clearTimeout(timer)
    timer = setTimeout(refresh, 1_000)
  }
  const live = (isLive) => {
    page.toggleAttribute("data-connected", isLive)
    page.querySelector("[data-live-state]").hidden = !isLive
  }
  new LiveSocket(page.dataset.socket, { frame: refreshSoon, live, back: refreshSoon })
}

async function refresh() {
  const answer = await fetch(location.pathname, { headers: { "X-Requested-With": "fetch" } })
  if (!answer.ok) return
  const fresh = toFragment(await answer.text()).querySelector("[data-session]")
  if (fresh) afterPress(() => show(fresh))
}

function show(fresh) {
  const [state, now] = [page, fresh].map((each) => each.querySelector("[data-live-state]"))
  if (state.textContent !== now.textContent) state.replaceChildren(...now.childNodes)
  if (Number(fresh.dataset.count) === count) return
  const followed = chosen === count
  count = Number(fresh.dataset.count)
  const kept = page.querySelector("#session-graphs:has([data-span] button)") // a part of the steps is looked at
  for (const part of ["#session-figures", ".session-main"]) {
    const old = page.querySelector(part)
    const next = fresh.querySelector(part)
    if (!old || !next || old.contains(document.activeElement)) continue
    old.replaceWith(document.adoptNode(next))
    window.htmx.process(page.querySelector(part))
  }
  if (kept) page.querySelector("#session-graphs")?.replaceWith(kept)
  words.textContent = `Step ${chosen} of ${count}`
  if (followed) choose(count, { scroll: true })
  else markChosen()
}

// --- A part of a long session: dragging over the timeline, or typing two numbers

let brush = null

page.addEventListener("pointerdown", (event) => {
  const area = event.target.closest("[data-brush]")
  if (!area || event.button !== 0 || event.pointerType === "touch") return
  brush = { area, from: event.clientX, to: event.clientX, band: null }
})

document.addEventListener("pointermove", (event) => {
  if (!brush || Math.abs(event.clientX - brush.from) < 6) return
  event.preventDefault()
  brush.to = event.clientX
  brush.band ??= brush.area.appendChild(Object.assign(document.createElement("div"), { className: "brush" }))
  const box = brush.area.getBoundingClientRect()
  brush.band.style.left = `${Math.min(brush.from, brush.to) - box.left + brush.area.scrollLeft}px`
  brush.band.style.width = `${Math.abs(brush.to - brush.from)}px`
})

document.addEventListener("pointerup", () => {
  const done = brush
  brush = null
  if (!done?.band) return
  done.band.remove()
  const [low, high] = [done.from, done.to].sort((a, b) => a - b)
  const steps = [...done.area.querySelectorAll("svg a[data-step]:not(.flag-word)")].filter((mark) => {
    const box = mark.getBoundingClientRect()
    return box.right >= low && box.left <= high
  }).flatMap((mark) => [Number(mark.dataset.step), Number(mark.dataset.last ?? mark.dataset.step)])
  if (!steps.length) return
  const form = page.querySelector("[data-span]")
  form.elements.from.value = Math.min(...steps)
  form.elements.to.value = Math.max(...steps)
  form.requestSubmit()
})

// A drag over the timeline ends on a mark, which is not pressed by that.
page.addEventListener("dragstart", (event) => {
  if (event.target.closest("[data-brush]")) event.preventDefault()
})

const first = stepInAddress() || Number(page.querySelector(".misses tr[data-cause='avoidable'] a[data-step]")?.dataset.step) || count
choose(first, { history: stepInAddress() ? "replace" : "none", scroll: stepInAddress() > 0 && !page.querySelector(`#row-${first}`) })
if (page.dataset.socket) followLog()
