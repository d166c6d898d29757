// Tries one thing after the other and returns those that it could do.
const fs = require('fs');
const path = require('path');

// holds says whether any readable file below dir holds the secret.
function holds(dir, secret) {
  for (const name of fs.readdirSync(dir, { recursive: true })) {
    const file = path.join(dir, name);
    try {
      if (fs.statSync(file).isFile() && file !== __filename && fs.readFileSync(file).includes(secret)) return true;
    } catch { /* the next one */ }
  }
  return false;
}

const environments = () => fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n));

exports.handler = async ({ data, pid, secret }) => {
  const attempts = {
    'list the data directory': () => fs.readdirSync(data),
    'read the store': () => holds(data, secret),
    "read another function's code in /var/task": () => holds('/var/task', secret),
    "read another function's code in /tmp": () => holds('/tmp', secret),
    "see the server's secret in its own environment": () => Object.values(process.env).includes(secret),
    "see the server's secret in some process's environment": () => environments().some((n) => {
      try { return fs.readFileSync(`/proc/${n}/environ`).includes(secret); } catch { return false; }
    }),
    'read the environment of process 1': () => fs.readFileSync('/proc/1/environ').length,
    'read the environment of the server': () => fs.readFileSync(`/proc/${pid}/environ`).length,
    'signal the server': () => process.kill(pid, 0),
    "read the host's /root": () => fs.readdirSync('/root').some((n) => /^\.(ssh|bash)/.test(n)),
    'read /etc/shadow': () => fs.readFileSync('/etc/shadow').length,
    'write /var/task': () => { fs.writeFileSync('/var/task/x', 'x'); return true; },
    'write the system': () => { fs.writeFileSync('/usr/x', 'x'); return true; },
    'become root': () => { process.setuid(0); return true; },
  };
  const done = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      if (attempt()) done.push(name);
    } catch { /* refused */ }
  }
  fs.writeFileSync('/tmp/mine', 'x');
  return { Tried: Object.keys(attempts).length, Done: done, UID: process.getuid() };
};
