using System.Text;

namespace Ssti.Engine.Yaml;

/// <summary>A node as one line of flow-style YAML, with canonical scalars: what a journal keeps of a parameter, so that runs can be compared.</summary>
internal static class FlowText
{
    // Aliases can make a small file describe an enormous value: beyond this the rest is not worth keeping.
    private const int Longest = 4000;

    public static string Of(YamlNode node)
    {
        if (node is YamlScalar scalar) return scalar.Canonical;
        var text = new StringBuilder();
        Append(text, node);
        return text.Length <= Longest ? text.ToString() : text.ToString(0, Longest) + "…";
    }

    private static void Append(StringBuilder text, YamlNode node)
    {
        switch (node)
        {
            case YamlScalar scalar:
                text.Append(scalar.Canonical);
                break;
            case YamlSequence list:
                Join(text, '[', list.Items, Append, ']');
                break;
            case YamlMapping mapping:
                Join(text, '{', mapping.Entries, (to, entry) => Append(to.Append(entry.Key.Text).Append(": "), entry.Value), '}');
                break;
        }
    }

    private static void Join<T>(StringBuilder text, char open, IReadOnlyList<T> items, Action<StringBuilder, T> append, char close)
    {
        text.Append(open);
        for (var i = 0; i < items.Count && text.Length <= Longest; i++)
        {
            if (i > 0) text.Append(", ");
            append(text, items[i]);
        }

        text.Append(close);
    }
}
