using System.Collections.Concurrent;
using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Parameters;

/// <summary>What a parameter's type is to YAML.</summary>
internal enum ShapeKind
{
    Text,
    Boolean,
    Integer,
    Long,
    Number,
    Choice,
    Source,
    List,
    Record,
}

/// <summary>A type a parameter may have.</summary>
internal sealed record ValueShape(ShapeKind Kind, Type Type, bool Nullable, ValueShape? Item = null);

/// <summary>A key under <c>with:</c>.</summary>
internal sealed record ParameterShape(string Key, PropertyInfo Property, ValueShape Value, bool Required, string? Description)
{
    /// <summary>Whether it stands in a key only where it has a value.</summary>
    public bool AddedLater { get; } = Property.IsDefined(typeof(AddedLaterAttribute))
        && (Value.Nullable ? true : throw new NotSupportedException($"{Property.DeclaringType!.Name}.{Property.Name} is added later, and so must be nullable"));
}

/// <summary>The keys a parameter record stands for. Read once a type.</summary>
internal sealed class RecordShape
{
    private static readonly ConcurrentDictionary<Type, RecordShape> Cache = new();
    private bool? _holdsSources;

    private RecordShape(Type type)
    {
        var nullability = new NullabilityInfoContext();
        Type = type;
        Parameters = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p is { CanWrite: true, CanRead: true } && p.GetIndexParameters().Length == 0 && p.SetMethod!.IsPublic)
            .Select(p => new ParameterShape(
                Kebab(p.Name), p, ShapeOf(p.PropertyType, nullability.Create(p), $"{type.Name}.{p.Name}"),
                p.IsDefined(typeof(RequiredMemberAttribute)), p.GetCustomAttribute<DescriptionAttribute>()?.Description))
            .ToArray();
    }

    public Type Type { get; }

    public IReadOnlyList<ParameterShape> Parameters { get; }

    /// <summary>Whether a source can stand anywhere in it: of most kinds none can, and nobody has to look.</summary>
    public bool HoldsSources => _holdsSources ??= Parameters.Any(p => Holds(p.Value));

    public static RecordShape Of(Type type) => Cache.GetOrAdd(type, t => new RecordShape(t));

    /// <summary>An instance with every default.</summary>
    public object Create() => Activator.CreateInstance(Type)!;

    public ParameterShape? Find(string key)
    {
        foreach (var parameter in Parameters) if (parameter.Key == key) return parameter;
        return null;
    }

    /// <summary><c>TargetLabel</c> as <c>target-label</c>, <c>Tf32</c> as <c>tf32</c>.</summary>
    public static string Kebab(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            var startsWord = char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord) text.Append('-');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }

    private static ValueShape ShapeOf(Type type, NullabilityInfo? nullability, string where)
    {
        var underlying = Nullable.GetUnderlyingType(type);
        var nullable = underlying is not null || (!type.IsValueType && nullability?.WriteState == NullabilityState.Nullable);
        type = underlying ?? type;
        if (type == typeof(string)) return new(ShapeKind.Text, type, nullable);
        if (type == typeof(bool)) return new(ShapeKind.Boolean, type, nullable);
        if (type == typeof(int)) return new(ShapeKind.Integer, type, nullable);
        if (type == typeof(long)) return new(ShapeKind.Long, type, nullable);
        if (type == typeof(double)) return new(ShapeKind.Number, type, nullable);
        if (type == typeof(SourcePath)) return new(ShapeKind.Source, type, nullable);
        if (type.IsEnum) return new(ShapeKind.Choice, type, nullable);
        if (ItemType(type) is { } item)
            return new(ShapeKind.List, type, nullable, ShapeOf(item, type.IsArray ? nullability?.ElementType : nullability?.GenericTypeArguments.FirstOrDefault(), where));
        if (type is { IsClass: true, IsAbstract: false } && type.GetConstructor(Type.EmptyTypes) is not null) return new(ShapeKind.Record, type, nullable);
        throw new NotSupportedException($"{where} has the type {type}, which no parameter can have; see StageKind's documentation");
    }

    private static bool Holds(ValueShape shape) => shape.Kind switch
    {
        ShapeKind.Source => true,
        ShapeKind.List => Holds(shape.Item!),
        ShapeKind.Record => Of(shape.Type).HoldsSources,
        _ => false,
    };

    private static Type? ItemType(Type type)
    {
        if (type.IsArray) return type.GetElementType();
        if (!type.IsGenericType) return null;
        var definition = type.GetGenericTypeDefinition();
        return definition == typeof(IReadOnlyList<>) || definition == typeof(List<>) || definition == typeof(IList<>)
            || definition == typeof(IReadOnlyCollection<>) || definition == typeof(IEnumerable<>) ? type.GenericTypeArguments[0] : null;
    }
}
