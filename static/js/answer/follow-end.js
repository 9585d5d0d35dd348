// Keeps the end of a response in sight while it streams, but only inside its own view, and only while the reader is there:
// who scrolls up is left in peace, and offered a way back. The window itself is never scrolled.

const near = 48
const short = 1.5 // times the view's height: a response that is no longer is shown from its top when it has ended

export class FollowEnd {
  #isThere = true
  #button = null

  /** `box` is the view that grows; `panel` is where the way back is offered. */
  constructor(box, panel) {
    this.box = box
    this.panel = panel
    this.onScroll = () => this.look()
    box.addEventListener("scroll", this.onScroll, { passive: true })
  }

  get #scrolls() {
    return this.box.scrollHeight > this.box.clientHeight + 1
  }

  /** Before the view grows: is the reader at its end? */
  look() {
    const { box } = this
    this.#isThere = !this.#scrolls || box.scrollHeight - box.scrollTop - box.clientHeight < near
    this.#offer(!this.#isThere)
  }

  /** After it has grown. */
  keep() {
    if (this.#isThere && this.#scrolls) this.box.scrollTop = this.box.scrollHeight
  }

  /** The run has ended. What fits, or is an error, is shown from its top. */
  end(isError) {
    this.box.removeEventListener("scroll", this.onScroll)
    this.#offer(false)
    const { box } = this
    if (isError && this.#isThere) {
      const note = box.querySelector(".verdict")
      if (note) box.scrollTop += note.getBoundingClientRect().top - box.getBoundingClientRect().top - 16
    } else if (this.#isThere && box.scrollHeight <= short * box.clientHeight) box.scrollTop = 0
  }

  #offer(isAway) {
    if (!isAway) {
      this.#button?.remove()
      this.#button = null
    } else if (!this.#button) {
      this.#button = document.createElement("button")
      Object.assign(this.#button, { type: "button", className: "button button-small follow", textContent: "Jump to latest" })
      this.#button.addEventListener("click", () => {
        this.box.scrollTop = this.box.scrollHeight
        this.box.focus({ preventScroll: true })
      })
      this.panel.append(this.#button)
    }
  }
}
