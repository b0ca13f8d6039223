import { isPost } from './github/state.ts';
import { main } from './run/main.ts';
import { post } from './run/post.ts';

await (isPost() ? post() : main());
