// Asks @cloud-copilot/iam-simulate, a program of its own: never a dependency of orgctl.
// usage: node iam_simulate.mjs answer FILE   one simulation a line in; one verdict a line out
//        node iam_simulate.mjs rate FILE SECONDS   runs them round and round; prints how many a second
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const resolve = createRequire(process.cwd() + '/').resolve
const { runSimulation } = await import(pathToFileURL(resolve('@cloud-copilot/iam-simulate')))

const [how, file, seconds] = process.argv.slice(2)
const simulations = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))

if (how === 'answer') {
  for (const simulation of simulations) {
    const answer = await runSimulation(simulation, {})
    const told =
      answer.resultType === 'error'
        ? { error: answer.errors }
        : {
            verdict: answer.overallResult,
            ignored: answer.result?.ignoredContextKeys ?? [],
            blocked: answer.result?.analysis?.blockedBy ?? [],
          }
    process.stdout.write(JSON.stringify(told) + '\n')
  }
} else {
  for (const simulation of simulations.slice(0, 200)) await runSimulation(simulation, {})
  const begun = performance.now()
  let done = 0
  while (performance.now() - begun < Number(seconds) * 1000) {
    for (const simulation of simulations) await runSimulation(simulation, {})
    done += simulations.length
  }
  process.stdout.write(String((done / (performance.now() - begun)) * 1000) + '\n')
}
