-- wrk: each thread has one connection, so the answers come in the order of the requests, and each is checked.
-- REQUESTS of each thread; HEADERS holds lines of a status and the Authorization header that it is the answer to, 503
-- with Retry-After being another one after `/503` while there is a file `down`; a thread that is through appends a line to
-- the file DONE, because wrk itself sleeps until its time is up.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  limit = tonumber(os.getenv("REQUESTS"))
  requests, expected, looked_up = {}, {}, {}
  for status, other, header in os.getenv("HEADERS"):gmatch("(%d+)(%S*)([^\n]*)") do
    header = header:match("^ (.+)$")
    table.insert(requests, wrk.format("GET", "/apps", header and { Authorization = header }))
    table.insert(expected, tonumber(status))
    table.insert(looked_up, other == "/503")
  end
  sent, answered, wrong, unavailable = 0, 0, 0, 0
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

local function is_down()
  local file = io.open("down")
  return file ~= nil and file:close()
end

function response(status, headers)
  -- Of the last request that was sent: wrk also calls request() once for nothing.
  local number = (sent - 1) % #expected + 1
  if status == 503 and looked_up[number] and headers["retry-after"] == "5" and is_down() then
    unavailable = unavailable + 1
  elseif status ~= expected[number] then
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
  local answered, wrong, unavailable = 0, 0, 0
  for _, thread in ipairs(threads) do
    answered = answered + thread:get("answered")
    wrong = wrong + thread:get("wrong")
    unavailable = unavailable + thread:get("unavailable")
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(("answered %d wrong %d broken %d seconds %.2f"):format(answered, wrong, broken, summary.duration / 1e6))
  print("unavailable " .. unavailable)
end
