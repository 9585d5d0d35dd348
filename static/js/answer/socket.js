// One run's websocket: resumes where it stopped, acknowledges, and tells when the page is cut off.

import { isFinal, tooMany } from "../lib/close-codes.js"
import { closeSocket } from "../lib/close-socket.js"
import { afterPress } from "../lib/press.js"

const firstDelay = 300
const longestDelay = 8_000
// How soon the server is told what has arrived: a little can wait, much would hold up what is still to come.
const seenEvery = 1_000
const seenEveryUnderLoad = 120
const much = 16_000 // characters
const fullDelay = 2_000
const settledAfter = 500 // ms; a server that refuses does so at once, but only after it has let us in

export class RunSocket {
  #socket = null
  #delay = firstDelay
  #timer = 0
  #closed = false
  #pieces = []
  #seen = 0
  #seenTimer = 0
  #unsaid = 0 // characters that arrived since
  #saidAt = 0
  #wantsStop = false

  /** `on.frame(frame)`, `on.state("live" | "waiting" | "full" | "offline" | "over", details)`. */
  constructor(address, on) {
    this.address = address
    this.on = on
    this.number = 0 // of the last event that arrived
    this.drawn = "" // how far the answer is drawn, in the server's own words
    this.isOver = false
    this.online = () => this.#retryNow()
    this.offline = () => this.#lose()
    window.addEventListener("online", this.online)
    window.addEventListener("offline", this.offline)
    this.#connect()
  }

  /** Ask for the run's end: now, or as soon as the server can be reached. Tells if it was asked now. */
  stop() {
    this.#wantsStop = true
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify({ type: "stop" }))
    return true
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#seenTimer)
    window.removeEventListener("online", this.online)
    window.removeEventListener("offline", this.offline)
    closeSocket(this.#socket)
    this.#socket = null
  }

  retryNow() {
    this.#retryNow()
  }

  #connect() {
    const address = new URL(this.address, location.href.replace(/^http/, "ws"))
    address.searchParams.set("after", this.number)
    address.searchParams.set("drawn", this.drawn)
    const socket = new WebSocket(address)
    this.#socket = socket
    this.#pieces = []
    this.#seen = this.#unsaid = 0
    let isSettled = false
    const settle = () => {
      if (isSettled || socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return
      isSettled = true
      this.#delay = firstDelay
      this.on.state("live", { number: this.number })
    }
    socket.addEventListener("open", () => {
      if (this.#wantsStop) this.stop()
      setTimeout(settle, settledAfter)
    })
    const read = (data) => {
      if (socket !== this.#socket) return
      settle()
      this.#unsaid += data.length
      this.#take(JSON.parse(data))
    }
    socket.addEventListener("message", ({ data }) => afterPress(() => read(data)))
    socket.addEventListener("close", ({ code, wasClean }) => {
      afterPress(() => socket === this.#socket && this.#onClose(code, wasClean))
    })
  }

  #take(frame) {
    if (frame.type === "piece") {
      this.#pieces.push(frame.text)
      if (this.#pieces.length < frame.of) return
      const text = this.#pieces.join("")
      this.#pieces = []
      return this.#take(JSON.parse(text))
    }
    if (frame.events?.length) {
      frame.events = frame.events.filter(([number]) => number > this.number)
      if (frame.events.length) this.number = frame.events.at(-1)[0]
    }
    if (frame.drawn) this.drawn = frame.drawn
    if (frame.type === "ended") this.isOver = true
    this.on.frame(frame)
    this.#acknowledge(frame.frame)
  }

  #acknowledge(frame) {
    this.#seen = frame ?? this.#seen
    if (this.isOver) return this.#sendSeen()
    if (this.#unsaid < much) this.#seenTimer ||= setTimeout(() => this.#sendSeen(), seenEvery)
    else this.#sayAtLeast(seenEveryUnderLoad)
  }

  #sayAtLeast(every) {
    const due = this.#saidAt + every - performance.now()
    if (due <= 0) return this.#sendSeen()
    clearTimeout(this.#seenTimer)
    this.#seenTimer = setTimeout(() => this.#sendSeen(), due)
  }

  #sendSeen() {
    clearTimeout(this.#seenTimer)
    this.#seenTimer = this.#unsaid = 0
    this.#saidAt = performance.now()
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "seen", frame: this.#seen, number: this.number }))
  }

  #onClose(code) {
    clearTimeout(this.#seenTimer)
    this.#seenTimer = 0
    if (this.#closed) return
    if (this.isOver || isFinal(code)) {
      this.close()
      this.on.state("over", { code, isOver: this.isOver })
      return
    }
    this.#wait(code === tooMany)
  }

  #lose() {
    closeSocket(this.#socket)
    this.#socket = null
    this.#wait()
  }

  #wait(isFull = false) {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const delay = (isFull ? fullDelay : this.#delay) * (0.8 + Math.random() * 0.4)
    if (!isFull) this.#delay = Math.min(longestDelay, this.#delay * 2)
    this.on.state(isFull ? "full" : navigator.onLine ? "waiting" : "offline", { number: this.number, delay })
    if (navigator.onLine) this.#timer = setTimeout(() => this.#connect(), delay)
  }

  #retryNow() {
    if (this.#closed || this.isOver || this.#socket?.readyState === WebSocket.OPEN) return
    clearTimeout(this.#timer)
    this.#connect()
  }
}
