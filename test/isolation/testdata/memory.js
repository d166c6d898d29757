exports.handler = async () => {
  const kept = [];
  while (kept.length < 2000) kept.push(Buffer.alloc(1 << 20, 1));
  return 'got 2 GB';
};
