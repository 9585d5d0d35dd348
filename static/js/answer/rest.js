// What of a very long text the page left out: appended piece by piece as it comes, so that the tab never stands still.

const pieceSize = 32_000 // characters in one element; what is out of sight is not laid out

/** Put the text at this address in the place of the button's paragraph. */
export async function showRest(button, address) {
  const holder = button.closest("p")
  const note = holder.querySelector("span")
  const wanted = note?.textContent
  button.disabled = true
  const place = document.createElement("div")
  place.className = "rest-text"
  try {
    const response = await fetch(address, { credentials: "same-origin" })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    holder.before(place)
    let size = 0
    for await (const text of pieces(response.body)) {
      place.append(Object.assign(document.createElement("pre"), { className: "plain", textContent: text }))
      size += text.length
      if (note) note.textContent = `${(size / 1e6).toFixed(1)} MB so far`
      await nextFrame()
    }
    place.dataset.restShown = ""
    holder.remove()
  } catch {
    place.remove()
    button.disabled = false
    if (note) note.textContent = `${wanted} This could not be loaded. Try again.`
  }
}

/** The text in pieces that end where a line does, or at least a word. */
async function* pieces(stream) {
  let waiting = ""
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    waiting += part.value
    while (waiting.length >= 2 * pieceSize) {
      const end = waiting.lastIndexOf("\n", pieceSize) + 1 || waiting.lastIndexOf(" ", pieceSize) + 1 || betweenCharacters(waiting, pieceSize)
      yield waiting.slice(0, end)
      waiting = waiting.slice(end)
    }
  }
  if (waiting) yield waiting
}

const betweenCharacters = (text, at) => (/[\uD800-\uDBFF]/.test(text[at - 1]) ? at + 1 : at)

/** The next animation frame; a hidden tab has none. */
const nextFrame = () => new Promise((then) => (document.hidden ? setTimeout(then) : requestAnimationFrame(then)))
