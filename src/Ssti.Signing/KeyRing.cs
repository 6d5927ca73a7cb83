using System.Security.Cryptography;
using NSec.Cryptography;
using Ssti.Store;

namespace Ssti.Signing;

/// <summary>A public key by the name that this user gave it.</summary>
/// <param name="Name">The name; <c>own</c> for this user's.</param>
/// <param name="Fingerprint">The first 16 hexadecimal digits of its SHA-256, by which two people compare it.</param>
/// <param name="Bytes">The key, 32 bytes (Ed25519).</param>
public sealed record NamedKey(string Name, string Fingerprint, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// The keys of a user in a folder: <c>own.key</c> signs what this user executes, <c>own.pub</c> is for others, and a <c>.pub</c> for each of those whose word this
/// user may take. The files are PEM (Ed25519, PKCS#8 and SubjectPublicKeyInfo), as OpenSSL writes them.
/// </summary>
public sealed class KeyRing
{
    /// <summary>What this user's key is called.</summary>
    public const string Own = "own";

    /// <summary>Opens a folder, which need not be there.</summary>
    public KeyRing(string folder) => Folder = Path.GetFullPath(folder);

    /// <summary>Where the keys are.</summary>
    public string Folder { get; }

    /// <summary>The folder that the environment names: <c>SSTI_KEYS</c>, else <c>ssti/keys</c> in <c>XDG_CONFIG_HOME</c> or <c>~/.config</c>.</summary>
    public static KeyRing Of(Func<string, string?> variables)
    {
        if (variables("SSTI_KEYS") is { Length: > 0 } named) return new KeyRing(named);
        var settings = variables("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".config");
        return new KeyRing(Path.Combine(settings, "ssti", "keys"));
    }

    /// <summary>All public keys, this user's first.</summary>
    /// <exception cref="StoreException">One is damaged.</exception>
    public IReadOnlyList<NamedKey> Keys() => !Directory.Exists(Folder) ? []
        : [.. Directory.GetFiles(Folder, "*.pub").Select(path => Read(Path.GetFileNameWithoutExtension(path), path))
            .OrderBy(key => key.Name != Own).ThenBy(key => key.Name, StringComparer.Ordinal)];

    /// <summary>What signs for this user, or null when there is no own key.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public RecordSigner? Signer() => File.Exists(Secret) ? RecordSigner.Of(Secret) : null;

    /// <summary>Makes this user's key.</summary>
    /// <exception cref="StoreException">There is one, or the folder cannot be written.</exception>
    public NamedKey Make()
    {
        if (File.Exists(Secret))
        {
            throw new StoreException(
                $"{Secret} is there already: what it signed could not be told from a stranger's without its public key; move it away first");
        }

        using var key = Key.Create(SignatureAlgorithm.Ed25519, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        Write(Secret, key.Export(KeyBlobFormat.PkixPrivateKeyText), isSecret: true);
        Write(PublicOf(Own), key.PublicKey.Export(KeyBlobFormat.PkixPublicKeyText), isSecret: false);
        return Read(Own, PublicOf(Own));
    }

    /// <summary>Takes in somebody's public key.</summary>
    /// <exception cref="StoreException">It is none, or its name is taken or none.</exception>
    public NamedKey Add(string name, string file)
    {
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || name == Own)
            throw new StoreException($"'{name}' cannot be the name of somebody's key: letters, digits, - and _, and not '{Own}', which is yours");
        if (File.Exists(PublicOf(name)))
        {
            throw new StoreException(
                $"there is a key of '{name}' already ({PublicOf(name)}); 'ssti keys remove {name}' first, if it is to be another");
        }

        var key = Read(name, file);
        if (Keys().FirstOrDefault(known => known.Fingerprint == key.Fingerprint) is { } same) throw new StoreException($"{file} is the key of '{same.Name}'");
        Write(PublicOf(name), PublicKey.Import(SignatureAlgorithm.Ed25519, key.Bytes.Span, KeyBlobFormat.RawPublicKey).Export(KeyBlobFormat.PkixPublicKeyText), isSecret: false);
        return key;
    }

    /// <summary>Forgets somebody's key.</summary>
    /// <exception cref="StoreException">There is none of that name.</exception>
    public void Remove(string name)
    {
        if (name == Own) throw new StoreException($"your own key is removed by hand: {Secret} and {PublicOf(Own)}");
        if (!Keys().Any(key => key.Name == name)) throw new StoreException(Unknown(name));
        File.Delete(PublicOf(name));
    }

    /// <summary>The keys of names.</summary>
    /// <exception cref="StoreException">A name has none.</exception>
    public TrustedKeys Trust(IEnumerable<string> names)
    {
        var keys = Keys();
        return new TrustedKeys([.. names.Select(name => keys.FirstOrDefault(key => key.Name == name) ?? throw new StoreException(Unknown(name)))]);
    }

    internal static string FingerprintOf(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(SHA256.HashData(key))[..16];

    private string Secret => Path.Combine(Folder, Own + ".key");

    private string PublicOf(string name) => Path.Combine(Folder, name + ".pub");

    private string Unknown(string name) => $"there is no key of '{name}' in {Folder}; there is: {string.Join(", ", Keys().Select(key => key.Name).DefaultIfEmpty("none"))} "
        + (name == Own ? "('ssti keys new' makes yours)" : "('ssti keys add <name> <file>' takes one in)");

    private static NamedKey Read(string name, string path)
    {
        try
        {
            var content = File.ReadAllBytes(path);
            if (!PublicKey.TryImport(SignatureAlgorithm.Ed25519, content, KeyBlobFormat.PkixPublicKeyText, out var key))
                throw new StoreException($"{path} is no public key (Ed25519, -----BEGIN PUBLIC KEY-----), such as 'ssti keys new' writes to own.pub");
            var bytes = key!.Export(KeyBlobFormat.RawPublicKey);
            return new NamedKey(name, FingerprintOf(bytes), bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"the key {path} cannot be read: {e.Message}", e);
        }
    }

    private void Write(string path, byte[] content, bool isSecret)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Folder);
            else Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (isSecret ? 0 : UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            using var file = new FileStream(path, options);
            file.Write(content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"the key {path} cannot be written: {e.Message}", e);
        }
    }
}
