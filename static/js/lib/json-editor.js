// <json-editor> around a <textarea>: colours, folding and marks at the line of a problem. The textarea stays the control:
// its value is what is sent, and it is all there is when the editor cannot be loaded.

let loading = null

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = url
    script.onload = resolve
    script.onerror = () => reject(new Error(`${url} could not be loaded`))
    document.head.append(script)
  })
}

function loadEditor(base) {
  loading ??= loadScript(`${base}/ace.js`).then(async () => {
    const { ace } = window
    ace.config.set("basePath", base)
    ace.config.set("useStrictCSP", true) // its styles come as files, see below
    ace.config.set("loadWorkerFromBlob", false)
    for (const name of ["ace.css", "theme/github_light_default.css", "theme/github_dark.css"]) loadStyle(`${base}/css/${name}`)
    return ace
  })
  return loading
}

function loadStyle(url) {
  const link = document.createElement("link")
  link.rel = "stylesheet"
  link.href = url
  document.head.append(link)
}

const isDark = () => getComputedStyle(document.body).colorScheme.includes("dark") && (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark"

// A tall editor leaves room below it for what is wrong with its text: the rest of the window is about this high.
const leastLines = (isTall) => (isTall ? Math.max(8, Math.min(24, Math.floor((innerHeight - 390) / 17))) : 4)

class JsonEditor extends HTMLElement {
  connectedCallback() {
    const area = this.querySelector("textarea")
    if (!area || this.editor) return
    // Only when it comes into view: a folded tool costs nothing.
    this.watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return
      this.watcher.disconnect()
      this.start(area)
    }, { rootMargin: "200px" })
    this.watcher.observe(this)
  }

  disconnectedCallback() {
    this.watcher?.disconnect()
    this.themes?.disconnect()
    this.scheme?.abort()
    this.editor?.destroy()
    this.editor = null
  }

  async start(area) {
    let ace
    try {
      ace = await loadEditor(document.getElementById("ask").dataset.ace)
    } catch {
      return // the textarea does
    }
    if (!this.isConnected || this.editor) return
    const place = document.createElement("div")
    place.className = "json-editor-place"
    this.append(place)
    const tall = this.hasAttribute("data-tall")
    const editor = ace.edit(place, {
      mode: "ace/mode/json",
      value: area.value,
      minLines: leastLines(tall),
      maxLines: tall ? 60 : 24,
      showPrintMargin: false,
      useWorker: false,
      tabSize: 2,
      fontSize: 13,
      wrap: true,
      enableKeyboardAccessibility: true,
    })
    this.editor = editor
    this.setTheme()
    this.themes = new MutationObserver(() => this.setTheme())
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] })
    this.scheme = new AbortController()
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.setTheme(), { signal: this.scheme.signal })
    window.addEventListener("resize", () => editor.setOption("minLines", leastLines(tall)), { signal: this.scheme.signal })
    editor.textInput.getElement().setAttribute("aria-label", area.getAttribute("aria-label"))
    area.hidden = true
    editor.session.on("change", () => {
      area.value = editor.getValue()
      area.dispatchEvent(new Event("input", { bubbles: true }))
    })
    editor.commands.removeCommands(["gotoline", "showSettingsMenu", "find"])
    this.annotate(this.waiting ?? [])
  }

  setTheme() {
    this.editor?.setTheme(isDark() ? "ace/theme/github_dark" : "ace/theme/github_light_default")
  }

  annotate(annotations) {
    this.waiting = annotations
    this.editor?.session.setAnnotations(annotations)
  }
}
customElements.define("json-editor", JsonEditor)
