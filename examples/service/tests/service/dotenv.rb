# Reads texts as JSON, one a line, and prints what the gem makes of each as a `.env`.
require "dotenv"
require "dotenv/version"
require "json"

puts Gem::Version.new(Dotenv::VERSION).segments.first
STDIN.each_line do |line|
  File.binwrite(ARGV[0], JSON.parse(line, quirks_mode: true))
  ENV.clear
  begin
    Dotenv.load(ARGV[0])
    puts JSON.generate(ENV.to_h)
  rescue SyntaxError, ArgumentError
    puts "null"
  end
end
