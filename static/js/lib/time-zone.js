// The server writes times and reads dates in the reader's time zone, which a cookie names.

const ZONE_KEY = "time-zone-asked"

/** Tell the server the zone. A page that was written in another one, as a browser's first is, is asked for once more. */
export function followTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const written = document.documentElement.dataset.timeZone
  if (!zone || !written || written === zone) return
  document.cookie = `time_zone=${zone};path=/;max-age=31536000;samesite=lax`
  const hasTimes = document.querySelector("time:not([data-clock]), [data-days]") !== null
  if (!hasTimes || sessionStorage.getItem(ZONE_KEY) === zone) return
  sessionStorage.setItem(ZONE_KEY, zone) // a server that does not know the zone is asked once
  location.reload()
}
