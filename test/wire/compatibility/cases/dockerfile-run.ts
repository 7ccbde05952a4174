import { area } from '../case.js';

export const runs = area('Dockerfile: RUN', {
  'shell form': 'FROM BASE\nRUN echo hi > /hi; echo said; echo to err >&2\n',
  'exec form': 'FROM BASE\nRUN ["touch", "/a b"]\n',
  'exit code': 'FROM BASE\nRUN echo before; exit 7\n',
  'program that is not there': 'FROM BASE\nRUN ["/nope", "x"]\n',
  heredoc: 'FROM BASE\nRUN <<EOF\necho a > /a\necho b > /b\nEOF\n',
});
