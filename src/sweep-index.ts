import { main } from './sweep/main.ts';

await main();
