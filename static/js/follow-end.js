// Keeps the end of a growing view in sight, but only while the reader is there: who scrolls up is left in peace.

const near = 48

export class FollowEnd {
  #isThere = true

  /** `box` is the view that grows. Where it does not scroll itself, the page does. */
  constructor(box) {
    this.box = box
  }

  get #scrolls() {
    return this.box.scrollHeight > this.box.clientHeight + 1
  }

  /** Before the view grows: is the reader at its end? */
  look() {
    const { box } = this
    if (this.#scrolls) {
      this.#isThere = box.scrollHeight - box.scrollTop - box.clientHeight < near
      return
    }
    const { bottom } = box.getBoundingClientRect()
    this.#isThere = bottom > 0 && bottom <= window.innerHeight + near
  }

  /** After it has grown. */
  keep() {
    if (!this.#isThere) return
    if (this.#scrolls) {
      this.box.scrollTop = this.box.scrollHeight
      return
    }
    const below = this.box.getBoundingClientRect().bottom - window.innerHeight
    if (below > 0) window.scrollBy(0, below)
  }
}
