/** Hides user and password of a URL, for messages and descriptions. BuildKit: util/urlutil/redact.go. */
export function redactCredentials(url: string): string {
  return url.replace(/^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^/?#]*)@/, (_, scheme: string, user: string) => {
    const colon = user.indexOf(':');
    const name = colon < 0 ? user : user.slice(0, colon);
    const shown = (name === '' ? '' : mask) + (colon < 0 ? '' : `:${mask}`);
    return shown === '' ? scheme : `${scheme}${shown}@`;
  });
}

const mask = 'xxxxx';
