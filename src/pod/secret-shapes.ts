/** Names that say secret. One that ends in what a secret has, such as _FILE or _LENGTH, names that. */
const SECRET_NAME =
  /(^|[_.-])(token|secret|passwd|passphrase|pwd|api_?key|access_?key|private_?key|secret_?key|credentials?|pat)$|(?:auth|access|refresh|api|bearer)token$|(?:api|private|secret|access)key$|password(?!.*[_.-](file|path|dir|url|uri|name|user|policy|length|len|min|max|ttl|age|days|count|prompt|hint|field|key)$)/i;
/** What such a name may well hold: a number, a switch, a place, or a reference to another variable. */
const HARMLESS =
  /^(\d{1,6}|true|false|yes|no|on|off|none|null|(~|\.{1,2})?\/[\w./-]*|[a-z][\w+.-]*:\/\/[^@\s]*|\$\([\w.-]+\)|\$\{?\w+\}?)?$/i;
/** Shapes that issuers give their secrets so that they can be found: GitHub, AWS, Slack, Google, GitLab, npm, PyPI, a JWT, a private key, a URL with a password, a header. */
const SECRET_VALUE =
  /\b(gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|A(KIA|SIA)[A-Z0-9]{16}|xox[abposr]-[\w-]{10,}|AIza[\w-]{35}|glpat-[\w-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+)|-----BEGIN [A-Z ]*PRIVATE KEY-----|:\/\/[^\s/:@]*:(?![$*])[^\s/@]+@|[Aa]uthorization: *\w+ +[\w+/.~=-]{8,}/;

/** The patterns go back and forth: more of a long text takes too long, and says no more. */
const MOST_READ = 2000;

/** Whether a value is likely a secret, by its shape or by the name that it goes under. */
export function looksSecret(name: string, value: string): boolean {
  const start = value.slice(0, MOST_READ);
  return SECRET_VALUE.test(start) || (SECRET_NAME.test(name.slice(-MOST_READ)) && !HARMLESS.test(start));
}
