const answer = await fetch("/runs.json"); const found = await answer.json(); document.getElementById("summary").textContent = `${found.runs.length} runs`;
