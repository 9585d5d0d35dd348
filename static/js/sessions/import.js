// While a file is imported, the page asks now and then how far it is, and shows that.

const form = document.querySelector("[data-import]")
const line = form.querySelector("[data-import-progress]")

form.addEventListener("submit", () => {
  const token = crypto.getRandomValues(new Uint32Array(4)).join("-")
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "token", value: token }))
  form.querySelector("button[type=submit]").disabled = true
  line.textContent = "Sending the file…"
  line.setAttribute("hx-get", `${line.dataset.importProgress}?token=${token}`)
  line.setAttribute("hx-trigger", "every 500ms")
  window.htmx.process(line)
})
