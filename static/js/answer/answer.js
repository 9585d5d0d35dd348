// Takes over every answer panel that goes on: follows its socket, draws, and lets the server's rendering of the
// finished run take its place. One listener each for all panels, also for those that are swapped in later.

import { sessionEnded } from "../lib/close-codes.js"
import { copyAnswer, copyCode } from "../lib/copy.js"
import { Canvas, decorate } from "./draw.js"
import { EventsView } from "./events.js"
import { playExample } from "./example.js"
import { fetchPart, fill, postTo, toFragment } from "../lib/fragment.js"
import { FollowEnd } from "./follow-end.js"
import { tellEnd, wantTelling } from "../pages/notify.js"
import { showRest } from "./rest.js"
import { answerByItself, updateResults } from "./results.js"
import { showShortcuts } from "../pages/shortcuts.js"
import { RunSocket } from "./socket.js"
import { afterPress } from "../lib/press.js"

const live = new Map() // panel element -> Live
const workPerFrame = 6 // ms; laying out what was changed takes as long again
const patchesPerFrame = 16

class Live {
  constructor(panel) {
    this.panel = panel
    this.message = panel.querySelector("[data-message]")
    this.spoken = panel.querySelector("[data-spoken]")
    this.canvas = new Canvas(panel)
    this.end = new FollowEnd(this.message, panel)
    this.wire = viewOf(panel)
    this.began = performance.now()
    this.clock = setInterval(() => this.tick(), 100)
    this.waiting = []
    this.spokenSilence = 0
    this.tellPhase()
    // A live region that came with the panel itself is read only when it changes later.
    setTimeout(() => this.beginSpeaking(), 100)
    this.lastArrival = performance.now()
    this.socket = new RunSocket(panel.dataset.socket, {
      frame: (frame) => this.take(frame),
      state: (state, details) => this.onState(state, details),
    })
  }

  take(frame) {
    this.lastArrival = performance.now()
    if (frame.events?.length) {
      this.wire.add(frame.events)
      const count = this.panel.querySelector("[data-event-count]")
      if (count) count.textContent = this.wire.count
    }
    if (frame.draw?.length) {
      this.waiting.push(...frame.draw)
      // A hidden tab has no animation frames; the answer grows there all the same.
      if (document.hidden) this.paint()
      else this.frame ||= requestAnimationFrame(() => afterPress(() => this.paint()))
    }
    if (frame.type === "saving") showNotice(this.panel, "notSaved", frame.is_failing)
    if (frame.type === "waiting") showNotice(this.panel, "cutOff", frame.is_waiting)
    if (frame.type === "ended") {
      this.ended = frame
      if (document.hidden || !this.waiting.length) this.paint()
    }
  }

  /** Apply what waits, as much as fits into an animation frame; a hidden tab has none, so there all of it. */
  paint() {
    cancelAnimationFrame(this.frame)
    this.frame = 0
    const until = performance.now() + workPerFrame
    this.end.look()
    let done = 0
    while (done < this.waiting.length && (document.hidden || (done < patchesPerFrame && performance.now() < until))) {
      const patch = this.waiting[done++]
      this.canvas.apply([patch])
      if (patch.op === "figures") this.syncClock(), this.tellPhase()
    }
    this.waiting.splice(0, done)
    this.end.keep()
    if (this.waiting.length) this.frame = requestAnimationFrame(() => afterPress(() => this.paint()))
    else if (this.ended) this.finish(this.ended)
  }

  /** Say what the figures show: that nothing has come yet, or that it is coming. */
  tellPhase() {
    const words = this.panel.querySelector("[data-waits-for]")?.dataset.waitsFor ?? "The response is coming in."
    if (words !== this.phase) this.speak((this.phase = words))
  }

  syncClock() {
    const clock = this.panel.querySelector("[data-clock]")
    if (clock) this.began = performance.now() - Number(clock.dataset.clock)
  }

  tick() {
    const clock = this.panel.querySelector("[data-clock]")
    if (!clock) return
    const ms = performance.now() - this.began
    clock.textContent = ms < 1000 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(ms < 60_000 ? 2 : 0)} s`
    const silence = (performance.now() - this.lastArrival) / 1000
    showSilence(this.panel, silence)
    if (silence - this.spokenSilence >= 10) {
      this.spokenSilence = silence
      this.speak(`Nothing has arrived for ${Math.round(silence)} seconds.`)
    } else if (silence < this.spokenSilence) this.spokenSilence = 0
  }

  /** Say it, or once the region is listened to: by then a quick run is over, and says that. */
  speak(text) {
    this.said = text
    if (this.spoken && this.isHeard) this.spoken.textContent = text
  }

  beginSpeaking() {
    this.isHeard = true
    this.speak(this.said)
  }

  onState(state, details) {
    showBanner(this.panel, state, details, () => this.socket.retryNow())
    // What came last may still wait to be painted: then the painting ends it.
    if (state === "over" && !this.finished && !this.ended) this.finish({ state: details.code === sessionEnded ? "signed out" : "interrupted" })
  }

  /** End the run, also while there is no socket: it may be waiting for its turn, or for the network. */
  async stop() {
    this.panel.querySelector("[data-stop]")?.setAttribute("disabled", "")
    if (this.socket.stop()) return
    const status = await postTo(`${this.panel.dataset.panel}stop/`).catch(() => 0) // then the socket asks, once it is there
    if (status !== 204 || this.ended) return
    showBanner(this.panel, "over")
    this.finish({ state: "cancelled" })
  }

  async finish(ended) {
    if (this.finished) return
    this.finished = true
    clearInterval(this.clock)
    showSilence(this.panel, 0)
    try {
      const html = await fetchPart(`${this.panel.dataset.panel}?drawn=${ended.digest ?? ""}`)
      if (this.panel.isConnected) replacePanel(this.panel, html)
      this.end.end(ended.state === "failed")
      this.speak(this.panel.dataset.said)
    } catch (error) {
      this.isMissing = true
      const again = () => this.retryFinish(ended)
      showBanner(this.panel, error.status === 404 ? "gone" : "offline", {}, again)
      window.addEventListener("online", again, { once: true })
    }
    tellEnd(this.panel.dataset, ended.state)
    this.leave()
  }

  retryFinish(ended) {
    if (!this.isMissing) return
    this.isMissing = this.finished = false
    showBanner(this.panel, "over")
    this.finish(ended)
  }

  leave() {
    clearInterval(this.clock)
    this.socket.close()
    live.delete(this.panel)
  }
}

/** Put the server's panel in place of the one drawn here. What is the same stays, so that folds, selection and the
 * reader's place survive. */
function replacePanel(panel, html) {
  const fresh = toFragment(html).firstElementChild
  for (const name of ["data-state", "data-socket", "data-said"]) {
    if (fresh.hasAttribute(name)) panel.setAttribute(name, fresh.getAttribute(name))
    else panel.removeAttribute(name)
  }
  // The server leaves out what this page has drawn already, to the letter.
  if (!fresh.querySelector("[data-message][data-same]")) {
    exchange(panel, fresh, "[data-figures]")
    exchange(panel, fresh, "[data-blocks]")
    exchange(panel, fresh, "[data-ending]")
  }
  exchange(panel, fresh, "[data-headers]")
  const tools = fresh.querySelector(".reply-head")
  const head = panel.querySelector(":scope > .reply-head")
  for (const element of [...head.querySelectorAll(":scope > :not(.tabs, .spacer)")]) element.remove()
  const added = [...tools.children].filter((child) => !child.matches(".tabs, .spacer"))
  head.append(...added)
  for (const element of added) window.htmx?.process(element) // not the panel: htmx would look at all of a long answer
  const labels = tools.querySelectorAll('[role="tab"]')
  head.querySelectorAll('[role="tab"]').forEach((tab, at) => {
    const count = labels[at]?.querySelector(".count")
    tab.querySelector(".count")?.remove()
    if (count) tab.append(count)
  })
  panel.querySelector("[data-message]").removeAttribute("aria-busy")
  for (const view of panel.querySelectorAll("[data-fetched]")) delete view.dataset.fetched
  prepare(panel, true)
  const json = panel.querySelector("[data-fetch]:not([hidden])")
  if (json) fetchView(json)
  panel.dispatchEvent(new CustomEvent("run:ended", { bubbles: true, detail: { run: panel.dataset.run, state: panel.dataset.state } }))
}

function exchange(panel, fresh, selector) {
  const old = panel.querySelector(selector)
  const next = fresh.querySelector(selector)
  if (!old || !next) return
  decorate(next)
  if (plainHtml(old) === plainHtml(next)) return
  old.replaceWith(next)
  window.htmx?.process(next)
}

const plainHtml = (element) => {
  const copy = element.cloneNode(true)
  for (const opened of copy.querySelectorAll("[open]")) opened.removeAttribute("open")
  return copy.textContent.replace(/\s+/g, " ") + copy.querySelectorAll("*").length
}

// --- Banners -------------------------------------------------------------------------------------------------------

const words = {
  waiting: ["warn", "Reconnecting.", ({ number }) => `The request keeps running on the server; the stream continues after event ${number}.`],
  full: ["warn", "Waiting for its turn.", () => "You are following the most responses one person may follow at once. This one keeps running on the server and is shown when another has ended."],
  offline: ["bad", "Offline.", () => "The request keeps running on the server. What has arrived stays here."],
  gone: ["bad", "Gone.", () => "This request is no longer available."],
  [sessionEnded]: ["warn", "Logged out.", () => "Log in again to continue; the request keeps running on the server."],
}

function showBanner(panel, state, details, retry) {
  const old = panel.querySelector(":scope > [data-banner]")
  const wasAway = old !== null
  old?.remove()
  const entry = words[details?.code] ?? words[state]
  if (entry) return place(panel, banner(entry, details, retry))
  if (state === "live" && wasAway) {
    const back = banner(["good", "", () => `Back online. The stream continues after event ${details.number}.`], details)
    place(panel, back)
    setTimeout(() => back.remove(), 4_000)
  }
}

function banner([tone, bold, text], details, retry) {
  const element = document.createElement("div")
  element.className = "banner"
  element.dataset.banner = ""
  element.dataset.tone = tone
  element.setAttribute("role", "status")
  const line = document.createElement("p")
  const strong = document.createElement("b")
  strong.textContent = bold
  line.append(strong, bold ? " " : "", text(details ?? {}))
  element.append(line)
  if (retry && tone !== "good") {
    const button = document.createElement("button")
    button.type = "button"
    button.className = "button button-small"
    button.textContent = "Try now"
    button.addEventListener("click", retry)
    element.append(button)
  }
  return element
}

const notices = {
  notSaved: ["Not being saved.", "The database is unavailable. The stream continues and is stored as soon as the database is back."],
  cutOff: ["Waiting for another server.", "The request continues there. Its stream is shown again as soon as the servers can reach each other."],
}

/** Beside what is said of the connection. */
function showNotice(panel, name, isShown) {
  const known = panel.querySelector(`:scope > [data-notice="${name}"]`)
  if (isShown === Boolean(known)) return
  if (known) return known.remove()
  const [head, text] = notices[name]
  const element = banner(["warn", head, () => text])
  delete element.dataset.banner
  element.dataset.notice = name
  place(panel, element)
}

/** Below the tabs and the figures. */
const place = (panel, element) => panel.querySelector(":scope > [data-figures]").after(element)

function showSilence(panel, seconds) {
  let line = panel.querySelector("[data-silence]")
  if (seconds < 15) return line?.remove()
  if (!line) {
    line = document.createElement("p")
    line.className = "quiet small silence"
    line.dataset.silence = ""
    panel.querySelector("[data-message]").append(line)
  }
  line.textContent = `Nothing has arrived for ${Math.floor(seconds)} s. The request is still running; Stop ends it.`
}

// --- Views that are made when they are looked at ---------------------------------------------------------------------

const views = new WeakMap()

function viewOf(panel) {
  const element = panel.querySelector("[data-wire-view]")
  if (!views.has(element)) views.set(element, new EventsView(element, panel))
  return views.get(element)
}

async function fetchView(view) {
  if (!view.dataset.fetch) return
  view.dataset.fetched = ""
  try {
    fill(view, await fetchPart(view.dataset.fetch))
  } catch {
    delete view.dataset.fetched
    view.textContent = "This could not be loaded. Try again."
  }
}

function onTab({ target }) {
  const panel = target.closest(".answer-panel")
  if (!panel || !target.dataset.view) return
  const view = document.getElementById(target.getAttribute("aria-controls"))
  if (target.dataset.view === "events") viewOf(panel).show()
  else if (view?.dataset.fetch && (!("fetched" in view.dataset) || live.has(panel))) fetchView(view)
}

// --- What every panel does -----------------------------------------------------------------------------------------

function prepare(panel, isNew = false) {
  decorate(panel)
  for (const countdown of panel.querySelectorAll("[data-countdown]:not([data-started])")) startCountdown(countdown)
  updateResults(panel)
  if (isNew) answerByItself(panel)
}

function startCountdown(element) {
  element.dataset.started = ""
  const until = performance.now() + Number(element.dataset.countdown) * 1000
  const timer = setInterval(() => {
    const left = Math.ceil((until - performance.now()) / 1000)
    if (!element.isConnected || left <= 0) clearInterval(timer)
    element.textContent = left > 0 ? `Wait ${left} s, as the server asks.` : "You can try again now."
  }, 500)
}

async function onClick({ target }) {
  const button = target instanceof Element ? target.closest("button") : null
  if (button && "replay" in button.dataset) playExample(button.closest("[data-example]").querySelector(".answer-panel"))
  const panel = button?.closest(".answer-panel")
  if (!panel) return
  if (button.dataset.toView) panel.querySelector(`[role="tab"][data-view="${button.dataset.toView}"]`)?.click()
  if ("stop" in button.dataset) {
    start(document) // a panel that came just now is not followed yet: the press would be lost
    live.get(panel)?.stop()
  } else if ("copyCode" in button.dataset) copyCode(button)
  else if (button.dataset.copyAnswer) copyAnswer(button, panel)
  else if (button.dataset.rest) showRest(button, `${panel.dataset.panel}rest/${button.dataset.rest}/`)
  else if ("notify" in button.dataset) wantTelling(button)
}

function onKey(event) {
  if (event.key === "?" && !event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return showShortcuts()
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], details.menu[open]")) return
  for (const run of live.values()) run.stop()
}

// A quick run is over before its panel is here; still it was sent just now, and is not an old one that is looked at again.
let isAnswerToPress = false
function onSwap({ detail }) {
  isAnswerToPress = detail.requestConfig?.verb === "post"
}

function start(scope) {
  const panels = [...scope.querySelectorAll(".answer-panel")]
  if (scope instanceof Element && scope.matches(".answer-panel")) panels.push(scope)
  for (const panel of panels) {
    if (panel.dataset.begun) continue
    panel.dataset.begun = "1"
    prepare(panel, isAnswerToPress)
    if (panel.dataset.socket) live.set(panel, new Live(panel))
    else if (isAnswerToPress && panel.dataset.run) {
      tellEnd(panel.dataset, panel.dataset.state)
      setTimeout(() => { panel.querySelector("[data-spoken]").textContent = panel.dataset.said }, 100)
    }
    if (panel.parentElement?.dataset.example === "stream") playExample(panel)
  }
  for (const [panel, run] of live) if (!panel.isConnected) run.leave()
}

/** A tab that goes out of sight has no animation frames any more: what waits for one is drawn now. */
function onVisibility() {
  if (document.hidden) for (const run of [...live.values()]) run.paint()
}

document.addEventListener("visibilitychange", onVisibility)
document.addEventListener("click", onClick)
document.addEventListener("keydown", onKey)
document.addEventListener("tab:selected", onTab)
document.addEventListener("htmx:beforeSwap", onSwap)
document.addEventListener("htmx:load", ({ target }) => start(target))
document.addEventListener("htmx:afterSettle", () => start(document))
start(document)
