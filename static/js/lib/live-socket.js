// A websocket that tells a page what has changed: connects again when it is lost, and tells how far the page has read.

import { isFinal, tooMany } from "./close-codes.js"
import { closeSocket } from "./close-socket.js"
import { afterPress } from "./press.js"

const firstDelay = 500
const longestDelay = 15_000
const seenEvery = 150 // ms; the server counts frames that are not acknowledged, and the acknowledgements of a page

export class LiveSocket {
  #socket = null
  #delay = firstDelay
  #timer = 0
  #closed = false
  #wasLost = false
  #seen = 0
  #seenTimer = 0

  /** `on.frame(frame)`; `on.live(isLive)`; `on.back()` when a lost socket is open again: changes were missed. */
  constructor(address, on) {
    this.address = new URL(address, location.href.replace(/^http/, "ws"))
    this.on = on
    this.online = () => this.#retryNow()
    window.addEventListener("online", this.online)
    this.#connect()
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#seenTimer)
    window.removeEventListener("online", this.online)
    closeSocket(this.#socket)
  }

  #connect() {
    const socket = new WebSocket(this.address)
    this.#socket = socket
    socket.addEventListener("open", () => {
      if (this.#closed) return
      this.#delay = firstDelay
      this.on.live?.(true)
      if (this.#wasLost) this.on.back?.()
      this.#wasLost = false
    })
    socket.addEventListener("message", ({ data }) => {
      afterPress(() => this.#closed || this.#take(JSON.parse(data)))
    })
    socket.addEventListener("close", ({ code }) => {
      if (!this.#closed) this.#wait(code)
    })
  }

  #take(frame) {
    this.on.frame(frame)
    this.#seen = frame.frame
    this.#seenTimer ||= setTimeout(() => this.#sendSeen(), seenEvery)
  }

  #sendSeen() {
    this.#seenTimer = 0
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "seen", frame: this.#seen }))
  }

  #wait(code) {
    clearTimeout(this.#seenTimer)
    this.#seenTimer = 0
    this.on.live?.(false)
    if (isFinal(code)) return this.close()
    this.#wasLost = true
    if (code === tooMany) this.#delay = longestDelay // the handshake itself succeeds
    this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.8 + Math.random() * 0.4))
    this.#delay = Math.min(longestDelay, this.#delay * 2)
    return undefined
  }

  #retryNow() {
    if (this.#socket.readyState !== WebSocket.CLOSED) return
    clearTimeout(this.#timer)
    this.#connect()
  }
}
