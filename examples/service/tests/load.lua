-- wrk: each thread has one connection, so the answers come in the order of the requests, and each is checked.
-- REQUESTS of each thread; HEADERS holds lines of a status and the Authorization header that it is the answer to; a
-- thread that is through appends a line to the file DONE, because wrk itself sleeps until its time is up.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  limit = tonumber(os.getenv("REQUESTS"))
  requests, expected = {}, {}
  for status, header in os.getenv("HEADERS"):gmatch("(%d+)([^\n]*)") do
    header = header:match("^ (.+)$")
    table.insert(requests, wrk.format("GET", "/apps", header and { Authorization = header }))
    table.insert(expected, tonumber(status))
  end
  sent, answered, wrong = 0, 0, 0
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function response(status)
  -- Of the last request that was sent: wrk also calls request() once for nothing.
  if status ~= expected[(sent - 1) % #expected + 1] then
    wrong = wrong + 1
  end
  answered = answered + 1
  if answered == limit then
    wrk.thread:stop()
    local file = io.open(os.getenv("DONE"), "a")
    file:write("done\n")
    file:close()
  end
end

function done(summary)
  local answered, wrong = 0, 0
  for _, thread in ipairs(threads) do
    answered = answered + thread:get("answered")
    wrong = wrong + thread:get("wrong")
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(("answered %d wrong %d broken %d seconds %.1f"):format(answered, wrong, broken, summary.duration / 1e6))
end
