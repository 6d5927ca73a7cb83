using System.Text;
using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Lora;

/// <summary>Adapters come from strangers: whatever stands in their two files, they are taken or refused in words, and nothing else happens.</summary>
public sealed class HostileAdapterTests : IDisposable
{
    private static readonly JsonNode?[] Odd =
        [
            null, true, -1, 0, 1.5, 1e300, long.MaxValue, "", "dense", "(", "../../outside", new JsonArray(), new JsonArray("dense", 1),
            new JsonObject(), new JsonObject { ["dense"] = -4 }];

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-hostile-").FullName;
    private readonly string _evil;
    private readonly Trunk _trunk = TinyBert.Trunk();

    public HostileAdapterTests()
    {
        _evil = Path.Combine(_folder, "evil");
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(2, 4, 0, ["dense"]), _trunk, random);
        using var peft = PeftAdapter.From(adapter, "some/base");
        peft.Write(_folder);
    }

    public void Dispose()
    {
        _trunk.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Settings_with_other_values_are_taken_or_refused_in_words()
    {
        var text = File.ReadAllText(Path.Combine(_folder, PeftAdapter.ConfigFile));
        var keys = JsonNode.Parse(text)!.AsObject().Select(pair => pair.Key).ToArray();
        var refused = 0;
        foreach (var key in keys)
            foreach (var value in Odd)
            {
                var config = JsonNode.Parse(text)!.AsObject();
                config[key] = value?.DeepClone();
                refused += Try(Encoding.UTF8.GetBytes(config.ToJsonString()), null, $"{key}: {value?.ToJsonString() ?? "null"}") ? 0 : 1;
            }

        foreach (var cut in Enumerable.Range(0, text.Length / 5).Select(i => i * 5)) refused += Try(Encoding.UTF8.GetBytes(text[..cut]), null, $"cut at {cut}") ? 0 : 1;
        Assert.True(refused > 150, $"only {refused} were refused");
    }

    [Fact]
    public void Tensor_files_with_other_bytes_are_taken_or_refused_in_words()
    {
        var whole = File.ReadAllBytes(Path.Combine(_folder, PeftAdapter.TensorFile));
        var header = 8 + (int)BitConverter.ToUInt64(whole);
        var random = new Random(11);
        string[] words = ["F64", "I64", "BOOL", "F8_E4M3", "-1", "0", "9223372036854775807", "null", "[]", "{}", "\"", "1e9", "lora_A", "lora_B"];
        var (taken, refused) = (0, 0);
        for (var i = 0; i < 1000; i++)
        {
            var bytes = (byte[])whole.Clone();
            switch (i % 4)
            {
                case 0: bytes[random.Next(8)] = (byte)random.Next(256); break;
                case 1: bytes[random.Next(8, header)] = (byte)random.Next(32, 127); break;
                case 2:
                    var word = Encoding.ASCII.GetBytes(words[random.Next(words.Length)]);
                    word.CopyTo(bytes, random.Next(8, header - word.Length));
                    break;
                default: bytes = bytes[..random.Next(bytes.Length)]; break;
            }

            if (Try(null, bytes, $"mutation {i}")) taken++;
            else refused++;
        }

        Assert.True(refused > 500, $"{taken} taken, {refused} refused");
    }

    /// <summary>Puts the adapter on its trunk; false when that is refused.</summary>
    private bool Try(byte[]? config, byte[]? tensors, string what)
    {
        Directory.CreateDirectory(_evil);
        File.WriteAllBytes(Path.Combine(_evil, PeftAdapter.ConfigFile), config ?? File.ReadAllBytes(Path.Combine(_folder, PeftAdapter.ConfigFile)));
        File.WriteAllBytes(Path.Combine(_evil, PeftAdapter.TensorFile), tensors ?? File.ReadAllBytes(Path.Combine(_folder, PeftAdapter.TensorFile)));
        using var scope = NewDisposeScope();
        try
        {
            using var peft = PeftAdapter.Read(_evil);
            using var adapter = peft.On(_trunk);
            return true;
        }
        catch (Exception e) when (e is ModelException or SafetensorsException)
        {
            Assert.NotEqual("", e.Message);
            return false;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.GetType().Name} is no answer for a user", e);
        }
        finally
        {
            Assert.Equal([PeftAdapter.ConfigFile, PeftAdapter.TensorFile], Directory.EnumerateFileSystemEntries(_evil).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }
    }
}
