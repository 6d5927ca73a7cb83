using Ssti.Corpus.Hub;

namespace Ssti.Corpus.Tests.Hub;

/// <summary>The environment means what it means to Hugging Face's own client.</summary>
public sealed class HubOptionsTests : IDisposable
{
    private readonly TempFolder _home = new();
    private readonly Dictionary<string, string> _variables = [];

    public void Dispose() => _home.Dispose();

    [Fact]
    public void Endpoint_token_and_offline_are_read_in_one_place()
    {
        Set(("HF_ENDPOINT", "https://mirror.example/"), ("HF_TOKEN", " t\r\n"), ("HF_HUB_OFFLINE", "1"));
        var options = Read();
        Assert.Equal((new Uri("https://mirror.example"), "t", "HF_TOKEN", true), (options.Endpoint, options.Token, options.TokenOrigin, options.Offline));
        Set(("HF_ENDPOINT", "mirror"));
        Assert.Contains("HF_ENDPOINT is 'mirror'", Assert.Throws<CorpusException>(Read).Message);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("Yes", true)]
    [InlineData("on", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    [InlineData("no", false)]
    public void Offline_is_on_for_the_words_that_mean_it(string value, bool expected)
    {
        Set(("HF_HUB_OFFLINE", value));
        Assert.Equal(expected, Read().Offline);
    }

    [Fact]
    public void A_login_is_found_in_the_token_file()
    {
        Assert.Null(Read().Token);
        Assert.Equal($"log in with 'hf auth login' (it leaves {_home[".cache/huggingface/token"]}), or set HF_TOKEN", Read().TokenOrigin);
        var file = _home.Write(".cache/huggingface/token", "hf_login\n");
        Assert.Equal(("hf_login", file), (Read().Token, Read().TokenOrigin));
    }

    [Fact]
    public void Of_several_tokens_the_one_that_Hugging_Faces_client_takes()
    {
        _home.Write(".cache/huggingface/token", "of-the-cache");
        _home.Write("elsewhere/huggingface/token", "of-xdg");
        _home.Write("hf/token", "of-home");
        _home.Write("named", "of-path");
        Set(("XDG_CACHE_HOME", _home["elsewhere"]));
        Assert.Equal("of-xdg", Read().Token);
        Set(("HF_HOME", "~/hf"));
        Assert.Equal("of-home", Read().Token);
        Set(("HF_TOKEN_PATH", _home["named"]));
        Assert.Equal("of-path", Read().Token);
        Set(("HUGGING_FACE_HUB_TOKEN", "older"));
        Assert.Equal(("older", "HUGGING_FACE_HUB_TOKEN"), (Read().Token, Read().TokenOrigin));
        Set(("HF_TOKEN", "newer"));
        Assert.Equal("newer", Read().Token);
        Set(("HF_TOKEN", " \n"));
        Assert.Equal("older", Read().Token);
        Set(("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"));
        Assert.Null(Read().Token);
        Assert.Contains("HF_HUB_DISABLE_IMPLICIT_TOKEN keeps tokens from being sent", Read().TokenOrigin);
    }

    [Fact]
    public void An_empty_token_file_is_none() => Assert.Null(Read(() => _home.Write(".cache/huggingface/token", "\n")).Token);

    [Fact]
    public void Both_caches_lie_where_they_are_expected()
    {
        Assert.Equal((_home[".cache/ssti/hub"], _home[".cache/huggingface/hub"]), (Read().CacheFolder, Read().HuggingFaceFolder));
        Set(("XDG_CACHE_HOME", "/x"));
        Assert.Equal(("/x/ssti/hub", "/x/huggingface/hub"), (Read().CacheFolder, Read().HuggingFaceFolder));
        Set(("SSTI_CACHE", "/c"), ("HF_HOME", "/h"));
        Assert.Equal(("/c/hub", "/h/hub"), (Read().CacheFolder, Read().HuggingFaceFolder));
        Set(("HUGGINGFACE_HUB_CACHE", "/old"));
        Assert.Equal("/old", Read().HuggingFaceFolder);
        Set(("HF_HUB_CACHE", "/new"));
        Assert.Equal("/new", Read().HuggingFaceFolder);
    }

    private void Set(params (string Name, string Value)[] variables)
    {
        foreach (var (name, value) in variables) _variables[name] = value;
    }

    private HubOptions Read() => HubOptions.FromEnvironment(_variables.GetValueOrDefault, _home.Root);

    private HubOptions Read(Action before)
    {
        before();
        return Read();
    }
}
