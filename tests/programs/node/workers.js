// Six workers build, compress and hash data; buffers travel by transfer and by copy; two generations of workers come and go.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');

function work(seed, bytes) {
    const items = [];
    for (let i = 0; i < 5000; i++) items.push({ key: `${seed}:${i}`, list: Array.from({ length: i % 20 }, (_, n) => n * seed) });
    const text = Buffer.from(JSON.stringify(items));
    const packed = zlib.gzipSync(text);
    if (!zlib.gunzipSync(packed).equals(text)) throw new Error('gzip');
    const buffer = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) buffer[i] = (i * seed) & 255;
    return { hash: crypto.createHash('sha256').update(text).digest('hex').slice(0, 16), buffer };
}

if (isMainThread) {
    const generation = (turn) => Promise.all(Array.from({ length: 6 }, (_, index) => new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: turn * 6 + index + 1 });
        const answers = [];
        worker.on('message', ({ hash, buffer }) => {
            answers.push(hash + crypto.createHash('sha256').update(buffer).digest('hex').slice(0, 8));
            if (answers.length < 8) worker.postMessage(buffer, answers.length % 2 ? [buffer.buffer] : []);
            else worker.terminate();
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve(answers.join(' ')));
    })));
    (async () => {
        for (let turn = 0; turn < 2; turn++) for (const line of await generation(turn)) console.log(line);
    })();
} else {
    const answer = (received) => {
        const result = work(workerData, 100000 + received * 7);
        parentPort.postMessage(result, [result.buffer.buffer]);
    };
    let turn = 0;
    parentPort.on('message', (buffer) => answer(buffer.length % 1000 + ++turn));
    answer(0);
}
