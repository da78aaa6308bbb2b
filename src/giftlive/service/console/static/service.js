// The service, asked with the key of this tab: in a header, never in an address.

const SLOT = "giftlive-key";
const SENDABLE = /^[\x21-\x7e]+$/;  // what a header can carry; a key of anything else is none

export const key = () => sessionStorage.getItem(SLOT);
export const useKey = (text) => sessionStorage.setItem(SLOT, text);
export const forgetKey = () => sessionStorage.removeItem(SLOT);

export class Refused extends Error {
  constructor(status, detail, wait) {
    super(detail?.message ?? String(status));
    this.status = status;
    this.detail = detail ?? {};
    this.wait = wait;
  }
}

async function asked(path, { method = "GET", body = null, signal = null } = {}) {
  const headers = {};
  if (key() && !SENDABLE.test(key())) throw new Refused(401, null, 1);
  if (key()) headers.Authorization = `Bearer ${key()}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, signal, body: body === null ? null : JSON.stringify(body), cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer;
  let detail = null;
  try { detail = (await answer.json()).error; } catch { /* not one of ours */ }
  throw new Refused(answer.status, detail, Number(answer.headers.get("Retry-After")) || 1);
}

export const read = async (path, signal) => (await asked(path, { signal })).json();
export const send = async (path, body, signal) => (await asked(path, { method: "POST", body, signal })).json();
export const change = async (path, body, signal) => (await asked(path, { method: "PUT", body, signal })).json();
export const file = async (path) => (await asked(path)).blob();
