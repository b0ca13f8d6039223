import fc from 'fast-check';

/** Text that Markdown, HTML or GitHub takes for something else when it stands there plainly. */
export const HOSTILE_MARKDOWN = [
  ...['a|b', '|', '\\|', '\\\\|', '| --- |', 'a\n| --- |\n| x |', '||', '\\'],
  ...['*a*', '***', '---', '___', '_a_', '~~a~~', '**a', '# a', 'a\n===', 'a\n---', '> a', '> [!NOTE]\n> a'],
  ...['`', '``', '```', '````', '`a`', '``a``', '```\na\n```', '~~~', '~~~\n```', '`a\n\nb`', '$`a`$', '``` mermaid'],
  ...['- a', '1. a', '- [ ] a', '+', '    a', '\ta', 'a  \nb', 'a\\\nb', 'a\n\nb', '\n\n# a', 'a\n\n\n<h1>b</h1>'],
  ...['[a](https://evil)', '![a](https://evil/x.png)', '[a]: https://evil', '[a]', '[^1]', '[^1]: a', '[](/)'],
  ...['<b>a</b>', '<img src=x onerror=alert(1)>', '</td></tr></table>', '</details>', '</code>', '</pre>', '</p>'],
  ...['<!--', '-->', '<!-- a -->', '<script>a</script>', '<?a?>', '<![CDATA[a]]>', '<a href="x">', '</', '<', '>'],
  ...['&amp;', '&lt;b&gt;', '&#60;b&#62;', '&', '&nbsp', '"', "'", `" onclick='a'`, '&#0;', '&Tab;'],
  ...['https://evil.example/a', 'www.evil.example', 'a@evil.example', '<https://evil>', 'mailto:a@b.c', 'xmpp:a@b.c/d'],
  ...[
    '@octocat',
    'a @octo/team b',
    '(@a)',
    ':tada:',
    ':+1:',
    'a:b:c:d:',
    ':tada::tada:',
    '#1',
    'o/r#12',
    'GH-1',
    'gh-1',
  ],
  ...['$a$', '$$a$$', 'a $b$ c $d', '\\(a\\)', '$', '{{ a }}', '${{ secrets.A }}', '::error::a', '##[error]a', '%0A'],
  ...['x'.repeat(300), 'é', '日本語', '👩‍💻', 'a\u00a0b'],
];

/** Texts made of such pieces. */
export const hostileMarkdown: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...HOSTILE_MARKDOWN),
      fc.constantFrom('\n', '\r', '\n\n', ' ', '\t', '\u0000', '\u001b[1m', '\u202e', '\u2028', '\ud800', 'a'),
      fc.string({ unit: 'binary', maxLength: 10 }),
    ),
    { maxLength: 6 },
  )
  .map(parts => parts.join(''));
