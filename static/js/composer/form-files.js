// Files for a request: chosen, dropped or pasted; uploaded once with progress, then put into the body by their id.

import { change } from "./form-draft.js"
import { goTo } from "./form-focus.js"

const ask = document.getElementById("ask")
const limit = Number(ask.dataset.uploadLimit)
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]

function line(file) {
  const row = document.createElement("div")
  row.className = "upload"
  row.append(`${file.name} `)
  const bar = document.createElement("progress")
  bar.max = file.size
  bar.value = 0
  bar.ariaLabel = `Upload of ${file.name}`
  row.append(bar)
  document.getElementById("uploads").append(row)
  return { row, bar }
}

function refuse({ row, bar }, words) {
  bar.remove()
  row.replaceChildren(words)
  row.dataset.tone = "bad"
  const close = document.createElement("button")
  close.type = "button"
  close.className = "button button-small button-quiet"
  close.textContent = "Dismiss"
  close.addEventListener("click", () => row.remove())
  row.append(close)
}

function upload(file) {
  const shown = line(file)
  if (file.size > limit) {
    refuse(shown, `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; at most ${(limit / 1e6).toFixed(1)} MB can be sent. `)
    return Promise.resolve(null)
  }
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open("POST", ask.dataset.uploadUrl)
    request.setRequestHeader("X-CSRFToken", csrf())
    request.responseType = "json"
    request.upload.addEventListener("progress", (event) => (shown.bar.value = event.loaded))
    request.addEventListener("loadend", () => {
      if (request.status === 200) {
        shown.row.remove()
        return resolve(request.response)
      }
      refuse(shown, `${request.response?.problem ?? `${file.name} could not be uploaded.`} `)
      resolve(null)
    })
    const form = new FormData()
    form.append("file", file)
    request.send(form)
  })
}

/** Put files at a place: the source of a block, or the content of a turn, where each becomes a block of its own. */
async function put(files, path) {
  const stored = []
  // One after the other: the server takes few large bodies at once from one address.
  for (const file of [...files]) stored.push(await upload(file))
  for (const { reference } of stored.filter(Boolean)) {
    goTo(path, "attach")
    await change("attach", path, { ":kind": reference })
  }
}

ask.addEventListener("change", ({ target }) => {
  if (target.matches("[data-upload]") && target.files.length) put(target.files, target.dataset.upload)
})

const contentOf = (target) => {
  const turn = target.closest(".turn:not(.turn-folded)")
  return turn ? `${turn.dataset.place}.content` : null
}

const placeFor = (target) => target.closest("[data-drop]") ?? target.closest(".turn:not(.turn-folded)")
/** Where the files would go, as long as they are held over it. */
function showOver(place) {
  for (const other of ask.querySelectorAll("[data-over]")) if (other !== place) other.removeAttribute("data-over")
  place?.setAttribute("data-over", "")
}

ask.addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return
  const place = placeFor(event.target)
  showOver(place)
  if (!place) return
  event.preventDefault()
  event.dataTransfer.dropEffect = "copy"
})
// Let go anywhere else, a file would be opened by the browser, in the place of this page.
document.addEventListener("dragover", (event) => {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return
  event.preventDefault()
  event.dataTransfer.dropEffect = "none"
})
ask.addEventListener("dragleave", (event) => {
  if (event.dataTransfer?.types.includes("Files") && !ask.contains(event.relatedTarget)) showOver(null)
})
ask.addEventListener("drop", (event) => {
  const path = event.target.closest("[data-drop]")?.dataset.drop ?? contentOf(event.target)
  if (!event.dataTransfer.files.length || !path) return
  event.preventDefault()
  showOver(null)
  put(event.dataTransfer.files, path)
})
ask.addEventListener("paste", (event) => {
  const path = event.target.closest("[data-drop]")?.dataset.drop ?? contentOf(event.target)
  if (!event.clipboardData?.files.length || !path) return
  event.preventDefault()
  put(event.clipboardData.files, path)
})
