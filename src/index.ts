import { main } from './run/main.ts';
import { post } from './run/post.ts';

// dist/post.js says so: nothing that a step can set may make the one of the other.
await (process.argv[2] === 'post' ? post() : main());
