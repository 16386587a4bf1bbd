/** What `index.html` asked for before this script was there. */

declare global {
  interface Window {
    early?: {
      /** By address. Each answer is taken once: whoever asks again asks anew. */
      answers: Map<string, Promise<Response>>;
      /** What draws here, as WebGL calls it; "" where it does not tell. */
      renderer: Promise<string>;
    };
  }
}

export function fetchEarly(url: string, options: RequestInit = {}): Promise<Response> {
  const answers = window.early?.answers;
  const asked = answers?.get(url);
  answers?.delete(url);
  return asked ?? fetch(url, options);
}
