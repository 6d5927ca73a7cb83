#!/usr/bin/env bash
# Microsoft.Orleans.Client 10.4.2 with Microsoft.Orleans.Clustering.Redis 10.4.2, a Redis with users (ACL); redis-server must be in PATH.
# A client of an Orleans cluster only reads who is there, so one would give it a Redis user that may read. It cannot connect: before it reads the list of gateways it
# sends HSETNX for the field Version of the cluster's hash, also where that field has long been there and nothing would change, and Redis refuses the command whatever
# it would do. With that one command allowed as well (+hsetnx) the client gets to the list, which is empty here, and waits for a silo.
# It matters because the rights that look least are too few, and those that are enough let every submitter create a cluster's hash.
set -euo pipefail
command -v redis-server > /dev/null || { echo "needs redis-server in PATH (Debian: apt-get install redis-server)"; exit 1; }
dir=$(mktemp -d)
cd "$dir"
port=$((20000 + RANDOM % 20000))
cat > redis.conf <<CONF
port $port
bind 127.0.0.1
save ""
dir $dir
user reader on >reading ~app/members/* +@read +@connection +info
user little on >more ~app/members/* +@read +hsetnx +@connection +info
CONF
redis-server redis.conf > redis.log & redis=$!
trap 'kill $redis 2>/dev/null || true; rm -rf "$dir"' EXIT

cat > finding.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.Orleans.Client" Version="[10.4.2]" />
    <PackageReference Include="Microsoft.Orleans.Clustering.Redis" Version="[10.4.2]" />
  </ItemGroup>
</Project>
XML
cat > Program.cs <<'CS'
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using StackExchange.Redis;

var server = "127.0.0.1:" + args[0];
// The hash is there, with the field that a client would set.
await using (var admin = await ConnectionMultiplexer.ConnectAsync(server)) await admin.GetDatabase().HashSetAsync("app/members/one", "Version", "0");
foreach (var user in new[] { "user=reader,password=reading", "user=little,password=more" })
{
    using var host = new HostBuilder().ConfigureLogging(logs => logs.ClearProviders()).UseOrleansClient(client => client
        .Configure<ClusterOptions>(options => (options.ServiceId, options.ClusterId) = ("app", "one"))
        .UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse($"{server},{user}"))).Build();
    using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
    string answer;
    try { await host.StartAsync(limit.Token); answer = "connected"; }
    catch (Exception e)
    {
        var text = e.ToString();
        answer = text.Contains("NOPERM") && text.Contains("hsetnx", StringComparison.OrdinalIgnoreCase) ? "NOPERM, hsetnx"
            : e is OperationCanceledException ? "waits for a silo" : text;
    }

    Console.WriteLine($"{user.Split(',')[0]}: {answer}");
}
CS
dotnet build -c Release -o out -v q --nologo > log || { cat log; exit 1; }
dotnet out/finding.dll "$port" > got
cat > want <<'TXT'
user=reader: NOPERM, hsetnx
user=little: waits for a silo
TXT
diff want got || { echo "CHANGED: what an Orleans 10.4.2 client needs of Redis"; exit 1; }
echo "holds: an Orleans 10.4.2 client cannot connect with a Redis user that may only read, since it sends HSETNX first"
