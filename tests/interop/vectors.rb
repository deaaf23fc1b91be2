#!/usr/bin/env ruby
# Runs client_keys.rb over a vectors.json: vectors.rb FILE.
require "digest"
require "json"
require_relative "client_keys"

def bytes(hex) = [hex].pack("H*")

def answer(secret, allowed, token)
  ["accepted", ClientKeys.verify(secret, allowed, token)]
rescue ClientKeys::Refused => refused
  [refused.verdict, refused.key_id]
end

def holds(group, test)
  secret = bytes(group["secret"])
  return false unless answer(secret, group["allowed"], test["token"]) == test.values_at("result", "keyId")
  return true unless test["nonce"]
  ClientKeys.issue(secret, bytes(test["nonce"] + test["keyId"])) == test.values_at("keyId", "token")
end

def accumulated(secret, label, count)
  tokens = count.times.map { |i| ClientKeys.issue(secret, Digest::SHA256.digest(label + [i].pack("N"))[0, 27])[1] }
  Digest::SHA256.hexdigest(tokens.join)
end

suite = JSON.parse(File.read(ARGV.fetch(0), encoding: "UTF-8"))
outcomes = suite["testGroups"].flat_map do |group|
  group["tests"].map { |test| ["tcId #{test["tcId"]}", holds(group, test)] }
end
outcomes << ["numberOfTests", suite["numberOfTests"] == outcomes.size]
last = suite["accumulated"]
outcomes << ["accumulated", accumulated(bytes(last["secret"]), last["label"], last["count"]) == last["sha256"]]
failed = outcomes.reject(&:last)
failed.each { |name, _| warn "differs: #{name}" }
puts "#{outcomes.size - failed.size} passed, #{failed.size} failed"
exit failed.empty?
