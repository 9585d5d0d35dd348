// The browser saves a download by itself; what it cannot know is how much is still to come. The page gives each download
// a name and asks the server how far it is.

/** A name that no other download has. `crypto.randomUUID` is missing where a page comes over plain HTTP. */
const makeToken = () => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-")

/** Show the progress of the download that is called `token`. */
function watch(told, token) {
  const line = document.createElement("span")
  line.setAttribute("hx-get", `${told.dataset.progress}?token=${token}`)
  line.setAttribute("hx-trigger", "every 1s")
  told.replaceChildren(line)
  window.htmx.process(line)
}

document.addEventListener("click", ({ target }) => {
  const link = target.closest("a[data-download]")
  const told = document.querySelector("[data-progress]")
  if (!link || !told) return
  const query = new URLSearchParams(link.search)
  query.set("token", makeToken())
  link.search = query
  watch(told, query.get("token"))
})

document.addEventListener("submit", ({ target: form, submitter }) => {
  form.querySelector(":scope > input[name=token]")?.remove()
  const told = document.querySelector("[data-progress]")
  if (!told || !submitter?.matches("[data-download]")) return
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "token", value: makeToken() })
  form.append(field)
  watch(told, field.value)
})
