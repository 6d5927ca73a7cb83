using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Store.Json;

/// <summary>
/// One text for one JSON value: what keys and trees are hashed from. Members sorted by UTF-16 code units, no white space, shortest escapes,
/// and numbers as ECMAScript writes them, after RFC 8785 (JCS).
/// </summary>
/// <remarks>Unlike RFC 8785, integers beyond 2^53 keep all their digits, so that 63-bit seeds stay exact.</remarks>
public static class CanonicalJson
{
    /// <summary>The canonical text.</summary>
    /// <exception cref="ArgumentException">A number is NaN or infinite.</exception>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Append(text, node);
        return text.ToString();
    }

    /// <summary>The digest of the canonical text in UTF-8.</summary>
    public static Digest Digest(JsonNode? node) => Store.Digest.Of(Write(node));

    /// <summary>Appends a value.</summary>
    public static void Append(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject members:
                text.Append('{');
                var first = true;
                foreach (var name in Sorted(members))
                {
                    if (!first) text.Append(',');
                    first = false;
                    AppendString(text, name);
                    text.Append(':');
                    Append(text, members[name]);
                }

                text.Append('}');
                break;
            case JsonArray items:
                text.Append('[');
                for (var i = 0; i < items.Count; i++)
                {
                    if (i > 0) text.Append(',');
                    Append(text, items[i]);
                }

                text.Append(']');
                break;
            case JsonValue value:
                AppendValue(text, value);
                break;
        }
    }

    /// <summary>Appends a string with its quotes.</summary>
    public static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                // A lone surrogate has no UTF-8; escaped, two different strings stay two different texts.
                case < ' ': Escape(text, c); break;
                case >= '\ud800' and <= '\udfff':
                    if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1])) text.Append(c).Append(value[++i]);
                    else Escape(text, c);
                    break;
                default: text.Append(c); break;
            }
        }

        text.Append('"');
    }

    /// <summary>The bytes a string takes in UTF-8, with its quotes.</summary>
    public static int LengthOf(string value)
    {
        var plain = value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && value.AsSpan().IndexOfAny('"', '\\') < 0;
        if (plain) return value.Length + 2;
        var text = new StringBuilder();
        AppendString(text, value);
        return Encoding.UTF8.GetByteCount(text.ToString());
    }

    /// <summary>A double as ECMAScript's Number.prototype.toString writes it.</summary>
    /// <exception cref="ArgumentException">NaN or infinite: JSON has no such numbers.</exception>
    public static string Number(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentException($"{value} has no JSON form", nameof(value));
        if (value == 0) return "0";
        // "R" is the shortest text that reads back: take its digits and exponent, and lay them out anew.
        var shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = shortest.IndexOf('E', StringComparison.Ordinal);
        var exponent = e < 0 ? 0 : int.Parse(shortest.AsSpan(e + 1), CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? shortest : shortest[..e];
        var dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var point = (dot < 0 ? mantissa.Length : dot) + exponent;
        var zeros = digits.Length - digits.TrimStart('0').Length;
        digits = digits[zeros..].TrimEnd('0');
        point -= zeros;
        var sign = value < 0 ? "-" : "";
        var k = digits.Length;
        if (k <= point && point <= 21) return sign + digits + new string('0', point - k);
        if (0 < point && point <= 21) return sign + digits[..point] + "." + digits[point..];
        if (-6 < point && point <= 0) return sign + "0." + new string('0', -point) + digits;
        var power = (point - 1 < 0 ? "e-" : "e+") + Math.Abs(point - 1).ToString(CultureInfo.InvariantCulture);
        return sign + (k == 1 ? digits : digits[..1] + "." + digits[1..]) + power;
    }

    private static string[] Sorted(JsonObject members)
    {
        var names = new string[members.Count];
        var at = 0;
        foreach (var (name, _) in members) names[at++] = name;
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    private static void Escape(StringBuilder text, char c) =>
        text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));

    private static void AppendValue(StringBuilder text, JsonValue value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                AppendString(text, value.GetValue<string>());
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            case JsonValueKind.Null:
                text.Append("null");
                break;
            default:
                // Keys are built of these three by the ten thousand; what was read from a text takes the longer way.
                if (value.TryGetValue(out int small))
                {
                    text.Append(small);
                    break;
                }

                if (value.TryGetValue(out long large))
                {
                    text.Append(large);
                    break;
                }

                var raw = value.ToJsonString();
                // "2" and "2.0" are one number, and so one text.
                text.Append(long.TryParse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
                    ? integer.ToString(CultureInfo.InvariantCulture)
                    : Number(double.Parse(raw, CultureInfo.InvariantCulture)));
                break;
        }
    }
}
